import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { Round, RoundArrived, Tuning } from "../api.js";
import { readIfThere, replaceDurably } from "../durable.js";
import type { FinalFile } from "../transfer/segment.js";

const Stored = z.object({
  rounds: z.array(Round),
  tuning: Tuning,
  /** Milliseconds of the machine's monotonic clock: when the last good round froze the tree. */
  frozeAt: z.nullable(z.number()),
});
export type StoredRounds = z.infer<typeof Stored>;

const roundsFile = (directory: string): string => join(directory, "rounds.json");
const manifestFile = (directory: string, round: number): string => join(directory, `round-${round}.json`);

/** The rounds of one migration, in its directory of the state directory; undefined where there were none. */
export async function readRounds(directory: string): Promise<StoredRounds | undefined> {
  const text = await readIfThere(roundsFile(directory));
  return text === undefined ? undefined : Stored.parse(JSON.parse(text));
}

export async function writeRounds(directory: string, stored: StoredRounds): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await replaceDurably(roundsFile(directory), JSON.stringify(stored));
}

const Manifest = RoundArrived.shape.files;

/** What the peer has verified of a good round. */
export async function readManifest(directory: string, round: number): Promise<FinalFile[]> {
  const text = await readIfThere(manifestFile(directory, round));
  if (text === undefined) throw new Error(`the list of round ${round}'s files is gone`);
  return Manifest.parse(JSON.parse(text));
}

export async function writeManifest(
  directory: string,
  round: number,
  files: readonly FinalFile[],
): Promise<void> {
  await replaceDurably(manifestFile(directory, round), JSON.stringify(files));
}

export async function removeManifest(directory: string, round: number): Promise<void> {
  await rm(manifestFile(directory, round), { force: true });
}
