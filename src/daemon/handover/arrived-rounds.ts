/** The destination's rounds: verified, folded one into the other while the next one is made, linked for the final dump. */
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { messageOf } from "../../errors.js";
import { orAfter } from "../../wait.js";
import { stopwatch } from "../../stopwatch.js";
import type { RoundArrived } from "../api.js";
import { removeFile } from "../at-once.js";
import { readIfThere, replaceDurably } from "../durable.js";
import type { Log } from "../log.js";
import type { PageLists } from "../page-lists.js";
import { HttpError } from "../refusals.js";
import { parentLink } from "../transfer/image-files.js";
import type { Owner } from "../transfer/image-store.js";
import type { Receiver } from "../transfer/receiver.js";

const Standing = z.object({
  /** Those that were verified, the full one first. */
  rounds: z.array(z.int()),
  /** The directories that hold them, each building on the one before. */
  levels: z.array(z.string()),
  /** Whether a final dump was announced that builds on them. */
  announced: z.boolean(),
});
type Standing = z.infer<typeof Standing>;

/** Milliseconds that the final dump waits for what is being folded; the service writes on meanwhile. */
const patience = 500;

const nothing: Standing = { rounds: [], levels: [], announced: false };

export interface ArrivedRoundsOptions {
  /** The migration's directory. */
  directory: string;
  images: string;
  pageLists: PageLists;
  log: Log;
}

export class ArrivedRounds {
  readonly #options: ArrivedRoundsOptions;
  #standing: Standing;
  /** Not into what an earlier daemon held: a program of its own may be folding it still. */
  #folds: boolean;
  #folding: Promise<void> = Promise.resolve();
  #stop = new AbortController();
  /** What a final dump's announcement has begun. */
  #linking: Promise<void> = Promise.resolve();
  #written: Promise<void> = Promise.resolve();

  private constructor(options: ArrivedRoundsOptions, standing: Standing) {
    this.#options = options;
    this.#standing = standing;
    this.#folds = standing.levels.length === 0;
  }

  static async open(options: ArrivedRoundsOptions): Promise<ArrivedRounds> {
    const text = await readIfThere(standingFile(options.directory));
    return new ArrivedRounds(options, text === undefined ? nothing : Standing.parse(JSON.parse(text)));
  }

  /** Whether a final dump may build on them: resolves when they are linked. Rejects where that failed. */
  async announced(): Promise<boolean> {
    await this.#linking;
    return this.#standing.announced;
  }

  /** Whether a file is of a round that was verified: it need not have the bytes any more that came. */
  has(file: string): boolean {
    return this.#standing.rounds.some((round) => file.startsWith(`${round}/`));
  }

  /** All of the round is here; throws a refusal that says what is missing. Asked again it answers the same. */
  async take(receiver: Receiver, { round, files }: RoundArrived): Promise<void> {
    const { rounds } = this.#standing;
    if (rounds.includes(round)) return this.#written;
    await this.#linked();
    receiver.verifyRound(round, files);
    const { levels } = this.#standing;
    await this.#change({ rounds: [...rounds, round], levels: [...levels, `${round}`], announced: false });
    this.#foldLater();
  }

  /**
   * They are those that the final dump builds on; throws a refusal where they are not. The source need not wait until they are the
   * owner's, and linked as CRIU reads them.
   */
  announce(receiver: Receiver, chain: readonly number[], owner: Owner): void {
    const { rounds } = this.#standing;
    if (chain.join() !== rounds.join()) {
      const problem = `rounds ${chain.join(", ")} are built on, rounds ${rounds.join(", ")} are here`;
      throw new HttpError(409, "INCOMPLETE", "the rounds are not what the final dump builds on", [problem]);
    }
    this.#linking = this.#linked().then(() => this.#link(receiver, owner));
    // Whoever takes the final list hears of it.
    this.#linking.catch(() => undefined);
  }

  async #link(receiver: Receiver, owner: Owner): Promise<void> {
    await orAfter(patience, () => this.#folding);
    await this.#rest();
    const { levels } = this.#standing;
    receiver.giveFiles(levels, owner);
    await linkLevels(this.#options.images, levels);
    await this.#change({ announced: true });
  }

  async #linked(): Promise<void> {
    await this.#linking.catch(() => undefined);
  }

  /** The chain is poisoned. */
  async forget(receiver: Receiver): Promise<void> {
    await this.#linked();
    await this.#rest();
    await receiver.forgetRounds();
    this.#folds = true;
    await this.#change(nothing);
  }

  /** Resolves when nothing works in the images any more. */
  async close(): Promise<void> {
    await this.#linked();
    await this.#rest();
  }

  // ---- folding ----------------------------------------------------------------------------------

  /** All that wait, once what is being folded is. */
  #foldLater(): void {
    if (!this.#folds) return;
    if (this.#stop.signal.aborted) this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#folding = this.#folding.then(() => this.#foldAll(signal));
  }

  async #foldAll(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted && (await this.#foldOne(signal)));
    } catch (thrown) {
      // As by a full disk: the round stays as it came.
      if (!signal.aborted) this.#options.log.error("a round is not folded", { message: messageOf(thrown) });
    }
  }

  /** The oldest round that is a level of its own, into those before it. False: there is none, or it cannot be folded. */
  async #foldOne(signal: AbortSignal): Promise<boolean> {
    const { images, pageLists, log } = this.#options;
    const { levels } = this.#standing;
    const at = levels.findIndex((level, index) => index > 0 && /^[0-9]+$/.test(level));
    const [round, below] = [levels[at], levels.slice(0, at)];
    if (round === undefined) return false;
    const since = stopwatch();
    const rest = await pageLists.fold(images, round, below, signal);
    if (rest === undefined) return false;
    log.info("a round was folded", { round, below, rest, ms: since() });
    // More may have come meanwhile.
    const after = this.#standing.levels.slice(at + 1);
    await this.#change({ levels: [...below, ...(rest === null ? [] : [rest]), ...after] });
    await rm(join(images, round), { recursive: true, force: true });
    return true;
  }

  /** What is being folded stays whole; it is folded when the next round has come. */
  async #rest(): Promise<void> {
    this.#stop.abort(new Error("nothing is folded now"));
    await this.#folding;
  }

  /** Resolves when it is on the disk. */
  #change(change: Partial<Standing>): Promise<void> {
    this.#standing = { ...this.#standing, ...change };
    const path = standingFile(this.#options.directory);
    const write = (): Promise<void> => replaceDurably(path, JSON.stringify(this.#standing));
    this.#written = this.#written.then(write, write);
    return this.#written;
  }
}

const standingFile = (directory: string): string => join(directory, "arrived-rounds.json");

/** CRIU finds the pages that a level does not have by these links; it made its own at the source. */
async function linkLevels(images: string, levels: readonly string[]): Promise<void> {
  for (const [at, level] of levels.entries()) {
    const link = join(images, levels[at + 1] ?? "final", parentLink);
    await removeFile(link);
    await symlink(`../${level}`, link);
  }
}
