import { openSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { type ReadableStream } from "node:stream/web";
import { pause } from "../../../src/wait.js";
import { parsePacket } from "./packets.js";

/**
 * `packets-client.ts FILE ADDRESS…`: takes the numbered packets of the seed's server, one connection as long as it
 * lasts; asks the next address for what comes after the last number when it is lost or silent. SIGTERM ends it.
 */
const [, , path = "", ...addresses] = process.argv;
const file = openSync(path, "a");
/** Longer than from one packet to the next. */
const silence = 1500;
let last = -1;
process.once("SIGTERM", () => process.exit());

async function listen(address: string): Promise<void> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), silence);
  try {
    const answer = await fetch(`http://${address}/packets?after=${last}`, { signal: stop.signal });
    for await (const line of createInterface(Readable.fromWeb(answer.body as ReadableStream))) {
      timer.refresh();
      note(line);
    }
  } finally {
    clearTimeout(timer);
  }
}

function note(line: string): void {
  const packet = parsePacket(line);
  if (packet === undefined) return;
  last = packet.number;
  writeSync(file, `${JSON.stringify({ ...packet, at: Date.now() })}\n`);
}

for (let turn = 0; ; turn += 1) {
  // A connection that is lost is what this client is made for: it asks the next address.
  await listen(addresses[turn % addresses.length] ?? "").catch(() => undefined);
  await pause(20);
}
