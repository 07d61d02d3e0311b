import { join } from "node:path";
import * as z from "zod/mini";
import { Round, Tuning } from "../api.js";
import { makeDirectory } from "../at-once.js";
import { readIfThere, replaceDurably } from "../durable.js";

const Stored = z.object({
  rounds: z.array(Round),
  tuning: Tuning,
  /** Milliseconds of the machine's monotonic clock: when the last good round froze the tree. */
  frozeAt: z.nullable(z.number()),
});
export type StoredRounds = z.infer<typeof Stored>;

const roundsFile = (directory: string): string => join(directory, "rounds.json");

/** The rounds of one migration, in its directory of the state directory; undefined where there were none. */
export async function readRounds(directory: string): Promise<StoredRounds | undefined> {
  const text = await readIfThere(roundsFile(directory));
  return text === undefined ? undefined : Stored.parse(JSON.parse(text));
}

export async function writeRounds(directory: string, stored: StoredRounds): Promise<void> {
  await makeDirectory(directory);
  await replaceDurably(roundsFile(directory), JSON.stringify(stored));
}
