/** What the daemon is asked for with when an application is to be frozen. */
import { ulid } from "ulid";
import type { CheckpointRequest } from "../daemon/api.js";
import { FastmigError } from "../errors.js";
import { readPassphrase } from "../image/passphrase.js";
import { accessOf } from "./access.js";
import type { Config } from "./config.js";
import { Failure } from "./failure.js";
import { criuOptionsOf } from "./words.js";

/** Milliseconds that the application may stand still while a store takes nothing, and in all. */
export const limits = { lease: 60_000, deadline: 3_600_000 };

/** How an image is packed for so much of the processor's time. */
const packings = { low: "plain", medium: "lz4", high: "zstd" } as const;
export type Budget = keyof typeof packings;
export const isBudget = (word: string): word is Budget => Object.hasOwn(packings, word);

export interface Freeze {
  shards: number;
  budget: Budget;
  leaveRunning: boolean;
  /** Of whoever asks: stores are reached as he would reach them. */
  env: NodeJS.ProcessEnv;
}

/** Throws Failure where the passphrase cannot be read. */
export async function freezeRequest(
  { imageUrl: url, preserve, passphraseFile }: Config,
  { shards, budget, leaveRunning, env }: Freeze,
): Promise<CheckpointRequest> {
  const passphrase = await readPassphrase(passphraseFile ?? undefined).catch((thrown: unknown) => {
    throw thrown instanceof FastmigError ? new Failure(thrown.message) : thrown;
  });
  return {
    ...{ id: ulid(), url, keep: null, leaveRunning, packing: packings[budget], shards, preserve },
    ...limits,
    access: accessOf(env),
    passphrase: passphrase?.toString("base64") ?? null,
    criuOptions: criuOptionsOf(env),
  };
}
