import { join } from "node:path";
import { pause } from "../../wait.js";
import { dumpLog, ownDirectory, readLog } from "../engine.js";
import type { ProcessEnd } from "../init-client.js";
import { giveBackReserve } from "../preallocate.js";
import { isDead } from "../procfs.js";
import type { Tracked } from "../processes.js";
import { recallRun, rememberRun, watchRun, type CriuEvents } from "./criu-watch.js";
import type { HandOverDeps } from "./half.js";
import { removeStatistics } from "./statistics.js";
import { treeOwner } from "./tree-facts.js";

/** What is heard of it. */
export interface DumpEvents {
  held: CriuEvents["held"];
  /** Resolves when what CRIU left behind, its statistics, is written down; what follows from its end is not waited for. */
  ended(end: ProcessEnd | null): Promise<void>;
}

/** Milliseconds from a tree's death to CRIU's end. */
const longestEnd = 2000;

/** CRIU's dump of one migration: started, followed, and found again after a daemon's death. */
export class DumpRun {
  readonly #deps: HandOverDeps;
  readonly #directory: string;
  readonly #events: DumpEvents;
  #starting: Promise<void> = Promise.resolve();
  #criu: Tracked | undefined;
  #noted: Promise<void> = Promise.resolve();

  /** @param directory the migration's, where the hook waits. */
  constructor(deps: HandOverDeps, directory: string, events: DumpEvents) {
    this.#deps = deps;
    this.#directory = directory;
    this.#events = events;
  }

  /**
   * @param chain the rounds that it builds on, the full one first.
   * @param wanted asked once more right before the freeze.
   */
  start(images: string, chain: readonly number[], wanted: () => boolean): Promise<void> {
    this.#starting = this.#start(images, chain, wanted);
    return this.#starting;
  }

  async #start(images: string, chain: readonly number[], wanted: () => boolean): Promise<void> {
    const root = this.#deps.service.process;
    if (root === undefined) throw new Error("the service is not running");
    const owner = await treeOwner(await this.#deps.service.tree());
    const imagesDir = join(images, "final");
    for (const path of [this.#directory, images, imagesDir]) await ownDirectory(path, owner);
    await removeStatistics(this.#directory, "dump");
    // Not while CRIU works: the service would stand still for it.
    await giveBackReserve(images);
    if (!wanted()) throw new Error("the migration was given up before the freeze");
    const last = chain.at(-1);
    const criu = await this.#deps.engine.dump({
      owner,
      imagesDir,
      workDir: this.#directory,
      holdIn: this.#directory,
      rootPid: root.pid,
      ...(last === undefined ? {} : { parent: `../${last}` }),
    });
    await rememberRun(this.#directory, "dump", criu, this.#deps.life);
    this.#follow(criu);
  }

  /** False where no run of this container's life is known. */
  async followAgain(): Promise<boolean> {
    const criu = await recallRun(this.#directory, this.#deps, "dump");
    if (criu !== undefined) this.#follow(criu);
    return criu !== undefined;
  }

  #follow(criu: Tracked): void {
    this.#criu = criu;
    const { held, ended } = this.#events;
    this.#noted = new Promise((resolve) => {
      watchRun(this.#directory, criu, { held, ended: (end) => void ended(end).finally(resolve) });
    });
  }

  /** CRIU ends after the tree has died: resolves when that was noted too, or will not be any more. */
  async over(): Promise<void> {
    await Promise.race([this.#noted, pause(longestEnd)]);
  }

  /** Answers whether it ended, asked again and again. What is just being started is waited for. */
  async watchEnd(): Promise<() => Promise<boolean>> {
    await this.#starting.catch(() => undefined);
    const criu = this.#criu ?? (await recallRun(this.#directory, this.#deps, "dump"));
    return async () => criu === undefined || isDead(criu);
  }

  log(): Promise<string> {
    return readLog(dumpLog(this.#directory));
  }
}
