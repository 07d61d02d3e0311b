import { createHash } from "node:crypto";
import type { Acknowledged } from "./ledger.js";
import { RedisConnection } from "./redis-connection.js";
import { type Attempt, WrongAnswer } from "./writer.js";

const batch = 1000;
const key = (index: number): string => `key:${String(index).padStart(7, "0")}`;
const written = (seq: number): string => `written:${seq}`;
const valueOf = (seq: number): string => `value-${seq}`;

/** Fills Redis with `count` keys of 100 bytes. */
export async function load(redis: RedisConnection, count: number): Promise<void> {
  for (const indices of batches(count)) {
    await redis.all(indices.map((index) => ["SET", key(index), `${index}:`.padEnd(100, `${index * 7919}`)]));
  }
}

/** SHA-256 over the first `count` keys and their values, in order: equal exactly where the data are. */
export async function digest(redis: RedisConnection, count: number): Promise<string> {
  const hash = createHash("sha256");
  for (const indices of batches(count)) {
    const values = (await redis.send("MGET", ...indices.map(key))) as (string | null)[];
    values.forEach((value, at) => hash.update(`${key(indices[at] ?? 0)}\0${value ?? "missing"}\n`));
  }
  return hash.digest("hex");
}

/** Numbers of the acknowledged writes that Redis does not hold. */
export async function lost(redis: RedisConnection, ledger: readonly Acknowledged[]): Promise<number[]> {
  const missing: number[] = [];
  for (const indices of batches(ledger.length)) {
    const seqs = indices.map((index) => (ledger[index] as Acknowledged).seq);
    const values = (await redis.send("MGET", ...seqs.map(written))) as (string | null)[];
    missing.push(...seqs.filter((seq, at) => values[at] !== valueOf(seq)));
  }
  return missing;
}

/** `INFO`'s fields. */
export async function info(redis: RedisConnection): Promise<Record<string, string>> {
  const text = String(await redis.send("INFO", "everything"));
  const pairs = text.split("\r\n").filter((line) => line.includes(":") && !line.startsWith("#"));
  return Object.fromEntries(
    pairs.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}

/**
 * Writes a key of its own, raises the counter and reads the key back. Safe to repeat: the key and its value
 * follow from the number, and a counter may rise more often than it is told.
 */
export function redisAttempt(): Attempt {
  let open: { address: string; redis: RedisConnection } | undefined;
  return async (seq, address, signal) => {
    if (open?.address !== address || open.redis.closed) {
      open?.redis.close();
      open = { address, redis: await RedisConnection.open(address, signal) };
    }
    const { redis } = open;
    const giveUp = (): void => redis.close();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const [, n, value] = await redis.all([
        ["SET", written(seq), valueOf(seq)],
        ["INCR", "counter"],
        ["GET", written(seq)],
      ]);
      if (value !== valueOf(seq)) throw new WrongAnswer(`read ${String(value)} instead of ${valueOf(seq)}`);
      return Number(n);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  };
}

function batches(count: number): number[][] {
  return Array.from({ length: Math.ceil(count / batch) }, (_, at) =>
    Array.from({ length: Math.min(batch, count - at * batch) }, (_, index) => at * batch + index),
  );
}
