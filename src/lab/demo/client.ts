import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { parseLedger } from "./ledger.js";
import { RedisConnection } from "./redis-connection.js";
import { digest, info, load, lost, redisAttempt } from "./redis-data.js";
import { keepWriting } from "./writer.js";

/**
 * The client of the demo and of the tests, a program of its own because it runs in the lab's client namespace:
 * `write LEDGER ADDRESS…` until SIGTERM; `load|digest ADDRESS KEYS`, `info ADDRESS`, `lost ADDRESS LEDGER` answer in JSON.
 */
const [, , verb = "", ...words] = process.argv;

if (verb === "write") await write(words[0] ?? "", words.slice(1));
else process.stdout.write(`${JSON.stringify(await ask(verb, words[0] ?? "", words[1] ?? ""))}\n`);

async function write(ledger: string, addresses: readonly string[]): Promise<void> {
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  const file = openSync(ledger, "a");
  await keepWriting({
    addresses,
    attempt: redisAttempt(),
    acknowledge: (entry) => writeSync(file, `${JSON.stringify(entry)}\n`),
    signal: stop.signal,
  });
  closeSync(file);
  process.exit();
}

async function ask(what: string, address: string, detail: string): Promise<unknown> {
  const redis = await RedisConnection.open(address, AbortSignal.timeout(5000));
  try {
    return await answer(what, redis, detail);
  } finally {
    redis.close();
  }
}

async function answer(what: string, redis: RedisConnection, detail: string): Promise<unknown> {
  if (what === "load") return { loaded: await load(redis, Number(detail)).then(() => Number(detail)) };
  if (what === "digest") return { digest: await digest(redis, Number(detail)) };
  if (what === "info") return info(redis);
  if (what === "lost") return { lost: await lost(redis, parseLedger(readFileSync(detail, "utf8"))) };
  if (what === "send") return { reply: await redis.send(...detail.split(" ")) };
  throw new Error(`no such verb: ${what}`);
}
