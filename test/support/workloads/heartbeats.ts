import { readFile } from "node:fs/promises";

export interface Heartbeat {
  service: string;
  /** Made when the program started: another one is another process, not a moved one. */
  boot: string;
  seq: number;
  /** Nanoseconds of the node's CLOCK_MONOTONIC, when it was sent. */
  at: number;
  /** Milliseconds of the client's, when it came: nodes with kernels of their own have clocks of their own. */
  received: number;
  /** The node's address. */
  from: string;
}

export async function readHeartbeats(path: string, service: string): Promise<Heartbeat[]> {
  const lines = (await readFile(path, "utf8")).split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Heartbeat).filter((beat) => beat.service === service);
}

/**
 * What proves that two copies ran: a number that came twice, one that another process started, or numbers that
 * two nodes sent by turns. Lost datagrams prove nothing, nor does one that overtook another on its way from the same node.
 */
export function secondHeartbeats(beats: readonly Heartbeat[]): string[] {
  const seen = new Set<number>();
  const ordered = beats.toSorted((one, other) => one.received - other.received);
  return ordered.flatMap((beat, at) => {
    const before = ordered[at - 1];
    const again = seen.has(beat.seq);
    seen.add(beat.seq);
    if (before === undefined) return [];
    if (beat.boot !== before.boot) return [`${beat.service} began anew on ${beat.from} after ${before.seq}`];
    return !again && (beat.seq > before.seq || overtaken(beat, before))
      ? []
      : [`${beat.service} sent ${before.seq} from ${before.from}, then ${beat.seq} from ${beat.from}`];
  });
}

/** It was sent before the one that came before it, by the clock of the node that sent both. */
const overtaken = (beat: Heartbeat, before: Heartbeat): boolean =>
  beat.from === before.from && beat.at < before.at && beat.seq < before.seq;
