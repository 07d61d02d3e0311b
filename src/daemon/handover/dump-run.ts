import { join } from "node:path";
import { pause } from "../../wait.js";
import type { Failure } from "../api.js";
import { dumpLog, ownDirectory, readLog, type TreeOwner } from "../engine.js";
import type { ProcessEnd } from "../init-client.js";
import { giveBackReserve } from "../preallocate.js";
import { isDead } from "../procfs.js";
import type { Tracked } from "../processes.js";
import { endAhead, type WaitingCriu } from "../waiting.js";
import { criuFailure } from "./criu-failure.js";
import { recallRun, rememberRun, watchRun, type CriuEvents } from "./criu-watch.js";
import type { RunDeps } from "./half.js";
import { StallWatch } from "./stall.js";
import { readStatistics, removeStatistics, sinceWritten } from "./statistics.js";

/** What is heard of it. */
export interface DumpEvents {
  held: CriuEvents["held"];
  /** With its statistics, if it came to any, and how many milliseconds ago it wrote them. */
  ended(end: ProcessEnd | null, stats: Record<string, number> | null, ago: number): void;
}

/** Milliseconds from a tree's death to CRIU's end. */
const longestEnd = 2000;

export const finalIn = (images: string): string => join(images, "final");

/** CRIU's dump of one migration: started, followed, and found again after a daemon's death. */
export class DumpRun {
  readonly #deps: RunDeps;
  readonly #directory: string;
  readonly #events: DumpEvents;
  #starting: Promise<void> = Promise.resolve();
  #waiting: WaitingCriu | undefined;
  #criu: Tracked | undefined;
  #stall: StallWatch | undefined;
  #streamed = false;
  #noted: Promise<void> = Promise.resolve();

  /** @param directory the migration's, where the hook waits. */
  constructor(deps: RunDeps, directory: string, events: DumpEvents) {
    this.#deps = deps;
    this.#directory = directory;
    this.#events = events;
  }

  /**
   * While the service still runs: what CRIU writes into belongs to the service's owner, nothing of an earlier run lies there,
   * and CRIU comes up.
   * @param chain the rounds that it builds on, the full one first; `streamed`: none, and CRIU meets a streamer at the images.
   */
  async getReady(
    images: string,
    chain: readonly number[] | "streamed",
    owner: TreeOwner,
    criuOptions: readonly string[] = [],
  ): Promise<void> {
    const { engine, service, life } = this.#deps;
    if (service.process === undefined) throw new Error("the service is not running");
    for (const path of [this.#directory, images, finalIn(images)]) await ownDirectory(path, owner);
    await removeStatistics(this.#directory, "dump");
    this.#streamed = chain === "streamed";
    const last = chain === "streamed" ? undefined : chain.at(-1);
    this.#waiting = await engine.dump({
      owner,
      workDir: this.#directory,
      holdIn: this.#directory,
      rootPid: service.process.pid,
      stream: chain === "streamed",
      criuOptions,
      ...(last === undefined ? {} : { parent: `../${last}` }),
    });
    // Before it can touch anything: whatever ends this daemon, the next one finds it.
    await rememberRun(this.#directory, "dump", this.#waiting.criu, life);
  }

  /** Resolves when no CRIU waits any more. */
  discard(): Promise<void> {
    return endAhead(this.#deps.processes);
  }

  /** As `discard`; rejects with `why`. */
  async giveUp(why: unknown): Promise<never> {
    await this.discard();
    throw why;
  }

  /** @param wanted asked once more right before the freeze. */
  start(images: string, wanted: () => boolean): Promise<void> {
    this.#starting = this.#start(images, wanted).catch((why: unknown) => this.giveUp(why));
    return this.#starting;
  }

  async #start(images: string, wanted: () => boolean): Promise<void> {
    if (this.#waiting === undefined) throw new Error("no CRIU came up");
    // Not while CRIU works: the service would stand still for it.
    await giveBackReserve(images);
    if (!wanted()) throw new Error("the migration was given up before the freeze");
    this.#follow(this.#waiting.criu);
    // Where it has ended, that is told.
    await this.#waiting.letGo(finalIn(images));
  }

  /** False where no run of this container's life is known. */
  async followAgain(): Promise<boolean> {
    const criu = await recallRun(this.#directory, this.#deps, "dump");
    if (criu !== undefined) this.#follow(criu);
    return criu !== undefined;
  }

  #follow(criu: Tracked): void {
    const { held, ended } = this.#events;
    // Where it streams it waits for whoever takes its images, who has limits of his own.
    const stall = this.#streamed ? undefined : this.#watchStall(criu);
    this.#criu = criu;
    this.#noted = new Promise((resolve) => {
      watchRun(this.#directory, criu, {
        held: () => {
          // From here on the hook waits, and has limits of its own.
          stall?.end();
          held();
        },
        ended: (end) => {
          stall?.end();
          void this.#figures()
            .then(({ stats, ago }) => ended(end, stats, ago))
            .finally(resolve);
        },
      });
    });
  }

  async #figures(): Promise<{ stats: Record<string, number> | null; ago: number }> {
    const ago = await sinceWritten(this.#directory, "dump");
    return { stats: await readStatistics(this.#directory, "dump"), ago };
  }

  #watchStall(criu: Tracked): StallWatch {
    this.#stall?.end();
    this.#stall = new StallWatch(criu, this.#deps.processes);
    return this.#stall;
  }

  /** Where it ended before it came to the hook. */
  async failure(end: ProcessEnd | null): Promise<Failure> {
    return criuFailure("dump", end, await this.log(), this.#stall?.why);
  }

  /** CRIU ends after the tree has died: resolves when that was noted too, or will not be any more. */
  async over(): Promise<void> {
    await Promise.race([this.#noted, pause(longestEnd)]);
  }

  /**
   * Answers whether it ended, asked again and again: the verdict stands, and it has nothing else to do. What is just being started
   * is waited for.
   */
  async watchEnd(): Promise<() => Promise<boolean>> {
    await this.#starting.catch(() => undefined);
    const criu = this.#criu ?? (await recallRun(this.#directory, this.#deps, "dump"));
    if (criu === undefined) return () => Promise.resolve(true);
    this.#watchStall(criu);
    return () => isDead(criu);
  }

  log(): Promise<string> {
    return readLog(dumpLog(this.#directory));
  }
}
