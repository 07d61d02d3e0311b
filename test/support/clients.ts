import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inClient, type LabState } from "../../src/lab/index.js";
import { type Acknowledged, parseLedger } from "../../src/lab/demo/ledger.js";
import { askRedis, redisClient } from "../../src/lab/demo/redis-clients.js";
import { waitFor } from "../../src/wait.js";
import { root } from "./fastmig.js";
import { collectorPort } from "./services.js";
import { readPackets } from "./workloads/packets.js";
import { type Heartbeat, readHeartbeats } from "./workloads/heartbeats.js";

const typescript = [
  "--disable-warning=ExperimentalWarning",
  "--experimental-transform-types",
  "--import",
  join(root, "scripts/typescript.js"),
];
const workload = (name: string): string => join(import.meta.dirname, "workloads", name);

type Client = ReturnType<typeof inClient>;

/** What runs in the lab's client namespace: those who write, and the one who collects heartbeats. */
export class Clients {
  readonly #running = new Set<Client>();
  #files = 0;
  #beats: string | undefined;

  constructor(
    readonly lab: LabState,
    readonly dir: string,
  ) {}

  /** Raises an HTTP service's counter until it is stopped. */
  count(addresses: readonly string[]): Promise<Writer> {
    const pace = this.lab.launcher === "vm" ? "gentle" : "quick";
    return this.#write((ledger) => [...typescript, workload("http-writer.ts"), ledger, pace, ...addresses]);
  }

  /** Raises it at every address at once, over connections that last: so that a downtime is seen to some 40 ms. */
  watch(addresses: readonly string[]): Promise<Writer> {
    return this.#write((ledger) => [...typescript, workload("watcher.ts"), ledger, ...addresses]);
  }

  /** Writes to Redis and reads back until it is stopped. */
  writeToRedis(addresses: readonly string[]): Promise<Writer> {
    return this.#write((ledger) => [redisClient, "write", ledger, ...addresses]);
  }

  /** Takes the numbered packets of the seed's server, wherever it is; resolves with the file of `Packet`s. */
  async takePackets(addresses: readonly string[]): Promise<string> {
    const path = this.#file("packets");
    void this.#start([...typescript, workload("packets-client.ts"), path, ...addresses]);
    await waitFor("a packet", async () => (await readPackets(path)).at(0), { timeout: 30_000 });
    return path;
  }

  /** Writes values over keys of Redis, so many bytes per second, until it is stopped by what this resolves to. */
  async loadRedis(address: string, bytesPerSecond: number): Promise<() => Promise<void>> {
    const path = this.#file("load");
    const words = [...typescript, workload("redis-load.ts"), path, address, String(bytesPerSecond)];
    const client = this.#start(words);
    await waitFor("Redis to take the load", () => readFile(path), { timeout: 30_000 });
    return () => stop(client);
  }

  /** One question to Redis: `load ADDRESS KEYS`, `digest …`, `info ADDRESS`, `lost ADDRESS LEDGER`, `send ADDRESS COMMAND`. */
  askRedis<T>(...words: string[]): Promise<T> {
    return askRedis<T>(this.lab, ...words);
  }

  /** From now on heartbeats are collected. */
  async collect(): Promise<void> {
    const path = this.#file("beats");
    const client = this.#start([...typescript, workload("collector.ts"), String(collectorPort), path]);
    await waitFor("the collector's file", () => readFile(path), { timeout: 10_000 });
    client.catch(() => undefined);
    this.#beats = path;
  }

  heartbeats(service: string): Promise<Heartbeat[]> {
    if (this.#beats === undefined) throw new Error("nobody collects heartbeats");
    return readHeartbeats(this.#beats, service);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map(stop));
    this.#running.clear();
    this.#beats = undefined;
  }

  async #write(argv: (ledger: string) => string[]): Promise<Writer> {
    const path = this.#file("ledger");
    const writer = new Writer(path, this.#start(argv(path)));
    await writer.goesOn();
    return writer;
  }

  #start(args: readonly string[]): Client {
    const client = inClient(this.lab, [process.execPath, ...args]);
    client.catch(() => undefined);
    this.#running.add(client);
    return client;
  }

  #file(kind: string): string {
    this.#files += 1;
    return join(this.dir, `${kind}-${this.#files}`);
  }
}

/** A client that writes, and its ledger. */
export class Writer {
  constructor(
    readonly path: string,
    readonly client: Client,
  ) {}

  async ledger(): Promise<Acknowledged[]> {
    return parseLedger(await readFile(this.path, "utf8"));
  }

  /** Resolves with the answers since now, once there are a few. */
  async goesOn(timeout = 30_000): Promise<Acknowledged[]> {
    const before = await this.ledger().then(
      ({ length }) => length,
      () => 0,
    );
    const look = async (): Promise<Acknowledged[] | undefined> => {
      const news = (await this.ledger()).slice(before);
      return news.length >= 5 ? news : undefined;
    };
    return waitFor("answers to the client", look, { timeout, interval: 20 });
  }

  stop(): Promise<void> {
    return stop(this.client);
  }
}

async function stop(client: Client): Promise<void> {
  client.kill("SIGTERM");
  await client.catch(() => undefined);
}
