import { readFile } from "node:fs/promises";

/** One packet of the seed's server, as its client got it. */
export interface Packet {
  number: number;
  /** The server's wall clock, `07:01:02`. */
  told: string;
  /** When it came, milliseconds since 1970 by the client's clock. */
  at: number;
}

export async function readPackets(path: string): Promise<Packet[]> {
  const lines = (await readFile(path, "utf8").catch(() => "")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Packet);
}

/** A line of the server: `[12] 07:01:14`. */
export function parsePacket(line: string): { number: number; told: string } | undefined {
  const found = /^\[(\d+)\] (\d\d:\d\d:\d\d)$/.exec(line);
  return found === null ? undefined : { number: Number(found[1]), told: found[2] ?? "" };
}
