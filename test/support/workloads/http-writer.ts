import { openSync, writeSync } from "node:fs";
import { gentle, keepWriting } from "../../../src/lab/demo/writer.js";

/** `http-writer.ts LEDGER quick|gentle ADDRESS…`: raises the service's counter again and again, until SIGTERM. */
const [, , path = "", pace, ...addresses] = process.argv;
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const file = openSync(path, "a");

await keepWriting({
  addresses,
  attempt: async (_seq, address, signal) => {
    const answer = await fetch(`http://${address}/count`, { method: "POST", signal });
    return ((await answer.json()) as { n: number }).n;
  },
  acknowledge: (entry) => writeSync(file, `${JSON.stringify(entry)}\n`),
  ...(pace === "gentle" ? { pace: gentle } : {}),
  signal: stop.signal,
});
process.exit();
