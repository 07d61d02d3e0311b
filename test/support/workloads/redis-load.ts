import { writeFileSync } from "node:fs";
import { RedisConnection } from "../../../src/lab/demo/redis-connection.js";
import { pause } from "../../../src/wait.js";

/**
 * `redis-load.ts READY ADDRESS BYTES_PER_SECOND [KEYS]`: fills so many values of 4 kB, makes the file READY, then writes
 * values at random places at that rate until SIGTERM, or until Redis hangs up. It never has more under way than one
 * tick's writes: a Redis that is slower than the rate is asked at its own pace.
 */
const [, , ready = "", address = "", rate = "0", count = "12000"] = process.argv;
const [keys, bytes, tick] = [Number(count), 4000, 20];
process.once("SIGTERM", () => process.exit());

const redis = await RedisConnection.open(address, AbortSignal.timeout(10_000));
let version = 0;

function set(key: number): string[] {
  version += 1;
  return ["SET", `load:${key}`, `${key}:${version}:`.padEnd(bytes, String(version * 7919))];
}

for (let from = 0; from < keys; from += 500) {
  await redis.all(Array.from({ length: Math.min(500, keys - from) }, (_, at) => set(from + at)));
}
writeFileSync(ready, "");
let last = performance.now();
for (let owed = 0; !redis.closed; owed %= 1) {
  await pause(tick);
  const now = performance.now();
  owed += (Number(rate) / bytes / 1000) * Math.min(now - last, 10 * tick);
  last = now;
  const due = Array.from({ length: Math.floor(owed) }, () => set(Math.floor(Math.random() * keys)));
  await redis.all(due).catch(() => redis.close());
}
