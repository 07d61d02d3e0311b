import { openSync, writeSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { pause } from "../../../src/wait.js";
import { monotonic } from "../../../src/lab/demo/writer.js";

/**
 * `watcher.ts LEDGER ADDRESS…`: raises the service's counter over one connection to each address, all the time and at all of
 * them at once, until SIGTERM. What it does not see of a downtime's begin and end is shorter than its two pauses.
 */
const [, , path = "", ...addresses] = process.argv;
const file = openSync(path, "a");
/** Milliseconds from an answer to the next line, and from a connection that was refused or lost to the next. */
const pauseAfterAnswer = 40;
const pauseAfterFailure = 10;
/** Without a word. */
const patience = 300;
let seq = 0;
process.once("SIGTERM", () => process.exit());

async function watch(address: string): Promise<never> {
  for (;;) {
    await count(address).catch(() => undefined);
    await pause(pauseAfterFailure);
  }
}

/** Returns when the connection has ended or is silent; rejects where there is none. */
async function count(address: string): Promise<void> {
  const [host = "", port = ""] = address.split(":");
  const socket = connect({ host, port: Number(port), noDelay: true });
  socket.setTimeout(patience, () => socket.destroy());
  try {
    await asked(socket, address);
  } finally {
    socket.destroy();
  }
}

async function asked(socket: Socket, address: string): Promise<void> {
  const lines = createInterface(socket);
  // Of a connection that is destroyed no end is told.
  socket.once("close", () => lines.close()).once("error", () => undefined);
  socket.write("POST /counts HTTP/1.0\r\n\r\n\n");
  for await (const line of lines) {
    if (!line.startsWith("{")) continue;
    const { n } = JSON.parse(line) as { n: number };
    writeSync(file, `${JSON.stringify({ seq: (seq += 1), n, at: monotonic(), address })}\n`);
    await pause(pauseAfterAnswer);
    socket.write("\n");
  }
}

await Promise.all(addresses.map(watch));
