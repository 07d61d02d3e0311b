import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../../wait.js";
import { inClient } from "../exec.js";
import { type LabState } from "../state.js";
import { packageRoot } from "./images.js";
import { type Acknowledged, parseLedger } from "./ledger.js";

/** Built: it is run by a Node of its own. */
export const redisClient = join(packageRoot, "dist/lab/demo/client.js");

/** One question to Redis from the lab's client namespace; `client.ts` says which there are. */
export async function askRedis<T>(lab: LabState, ...words: string[]): Promise<T> {
  const { stdout } = await inClient(lab, [process.execPath, redisClient, ...words]);
  return JSON.parse(stdout) as T;
}

/** A client that writes and reads all the time and keeps a ledger of what was acknowledged. */
export class RedisWriter implements AsyncDisposable {
  readonly #process: ReturnType<typeof inClient>;

  constructor(
    lab: LabState,
    readonly ledgerPath: string,
    addresses: readonly string[],
  ) {
    this.#process = inClient(lab, [process.execPath, redisClient, "write", ledgerPath, ...addresses]);
    this.#process.catch(() => undefined);
  }

  async ledger(): Promise<Acknowledged[]> {
    return parseLedger(await readFile(this.ledgerPath, "utf8").catch(() => ""));
  }

  /** Waits until so many more writes were acknowledged. */
  async writes(count: number, signal: AbortSignal): Promise<void> {
    const before = (await this.ledger()).length;
    const look = async (): Promise<true | undefined> =>
      (await this.ledger()).length >= before + count ? true : undefined;
    await waitFor(`${count} writes of the client`, look, { timeout: 60_000, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.catch(() => undefined);
  }
}
