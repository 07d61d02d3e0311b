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

/** What the peer has verified of each good round: in memory, and on disk for the daemon that comes after this one. */
export class Manifests {
  readonly #directory: string;
  readonly #lists = new Map<number, FinalFile[]>();

  /** @param directory the migration's. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  of(round: number): FinalFile[] {
    return this.#lists.get(round) ?? [];
  }

  /** Throws where there is none. */
  async read(round: number): Promise<void> {
    const text = await readIfThere(manifestFile(this.#directory, round));
    if (text === undefined) throw new Error(`the list of round ${round}'s files is gone`);
    this.#lists.set(round, Manifest.parse(JSON.parse(text)));
  }

  async keep(round: number, files: FinalFile[]): Promise<void> {
    await replaceDurably(manifestFile(this.#directory, round), JSON.stringify(files));
    this.#lists.set(round, files);
  }

  async forget(round: number): Promise<void> {
    this.#lists.delete(round);
    await rm(manifestFile(this.#directory, round), { force: true });
  }
}
