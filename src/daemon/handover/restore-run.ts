import { join } from "node:path";
import { messageOf } from "../../errors.js";
import type { FinalRequest, TreeRun } from "../api.js";
import { removeFile } from "../at-once.js";
import { expectClocks } from "../clocks.js";
import { ownDirectory, type RestoreAhead } from "../engine.js";
import type { ProcessEnd } from "../init-client.js";
import { giveBackReserve } from "../preallocate.js";
import { isDead } from "../procfs.js";
import type { Tracked } from "../processes.js";
import { heldFile, prepareVerdict } from "../verdict.js";
import { endAhead, type WaitingCriu } from "../waiting.js";
import { recallRun, rememberRun, watchRun } from "./criu-watch.js";
import type { RunDeps } from "./half.js";
import { endOrKill, killTree } from "./kill.js";
import { removeStatistics } from "./statistics.js";

/** What is heard of it. */
export interface RestoreEvents {
  held(): void;
  /** Whether it had been held before. */
  ended(end: ProcessEnd | null, held: boolean): void;
}

/** Beside what the tree's facts say. */
export type RestoreOptions = Pick<RestoreAhead, "stream" | "criuOptions" | "leaveStopped">;

/** CRIU's restore of one migration: comes up ahead of its images, is let go with them, followed, and found again. */
export class RestoreRun {
  readonly #deps: RunDeps;
  readonly #directory: string;
  readonly #events: RestoreEvents;
  readonly #options: RestoreOptions;
  #ahead: { run: TreeRun; waiting: Promise<WaitingCriu | undefined> } | undefined;
  /** All PIDs up to this one were passed by. */
  #passed = 0;
  #criu: Tracked | undefined;

  /**
   * @param directory the migration's, where the hook waits.
   */
  constructor(deps: RunDeps, directory: string, events: RestoreEvents, options: RestoreOptions = {}) {
    this.#deps = deps;
    this.#directory = directory;
    this.#events = events;
    this.#options = options;
  }

  /** Moves the PID cursor past what will be restored, while the service still runs at the source. */
  async makeWay(highestPid: number): Promise<void> {
    await this.#deps.processes.init.moveCursor(highestPid);
    this.#passed = highestPid;
  }

  /** While the service still runs at the source, which need not wait: what CRIU takes to come up is no downtime then. */
  comeUp(run: TreeRun): void {
    const before = this.#ahead?.waiting;
    const waiting = this.#comeUp(run, before).catch((thrown: unknown) => {
      this.#deps.log.error("CRIU did not come up ahead", { message: messageOf(thrown) });
      return undefined;
    });
    this.#ahead = { run, waiting };
  }

  /** Resolves when nothing is on its way any more: what came up is then found by whoever ends it. */
  async cameUp(): Promise<void> {
    await this.#ahead?.waiting;
  }

  async #comeUp(run: TreeRun, before: Promise<unknown> | undefined): Promise<WaitingCriu> {
    await before;
    await endAhead(this.#deps.processes);
    await this.#clear(run);
    await prepareVerdict(this.#directory, "running");
    return this.#deps.engine.restoreAhead(this.#job(run));
  }

  /** Resolves when CRIU is at work. What an earlier try left of the tree is killed first. */
  async start(images: string, { rootPid, highestPid, clocks, ...run }: FinalRequest["tree"]): Promise<void> {
    const { paths } = this.#deps;
    await expectClocks(paths, this.#directory, { clocks, ...run });
    const imagesDir = join(images, "final");
    // The frozen tree can have threads that were not there when it was expected.
    if (highestPid > this.#passed) await this.makeWay(highestPid);
    const started = async (): Promise<Tracked> =>
      (await this.#letGo(run, imagesDir)) ?? this.#startAnew(run, imagesDir, rootPid);
    const [criu] = await Promise.all([started(), giveBackReserve(images)]);
    // One that a daemon's death keeps from being remembered is found by its name, and ended.
    await rememberRun(this.#directory, "restore", criu, this.#deps.life);
    this.#follow(criu);
  }

  /** Undefined where none waits for just this tree, as after a daemon's death. */
  async #letGo(run: TreeRun, imagesDir: string): Promise<Tracked | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const waiting = await ahead?.waiting;
    if (ahead === undefined || waiting === undefined || !isSame(ahead.run, run)) return undefined;
    return (await waiting.letGo(imagesDir)) ? waiting.criu : undefined;
  }

  async #startAnew(run: TreeRun, imagesDir: string, rootPid: number): Promise<Tracked> {
    const { engine, processes } = this.#deps;
    await endAhead(processes);
    await killTree(rootPid, processes);
    await this.#clear(run);
    return engine.restore({ ...this.#job(run), imagesDir });
  }

  /** Nothing of an earlier try may be taken for this one's. */
  async #clear(owner: TreeRun): Promise<void> {
    await removeFile(heldFile(this.#directory));
    await removeStatistics(this.#directory, "restore");
    await ownDirectory(this.#directory, owner);
  }

  #job({ uid, gid, groups, stdoutInode, stderrInode }: TreeRun): RestoreAhead {
    const pipes = { stdout: stdoutInode, stderr: stderrInode };
    const [workDir, holdIn] = [this.#directory, this.#directory];
    return { owner: { uid, gid, groups }, workDir, holdIn, pipes, ...this.#options };
  }

  /** After a daemon's death: CRIU may be at work, or wait in its hook. False where it is gone. */
  async followAgain(): Promise<boolean> {
    const criu = await this.#recall();
    if (criu === undefined || (await isDead(criu))) return false;
    this.#follow(criu);
    return true;
  }

  #follow(criu: Tracked): void {
    this.#criu = criu;
    let held = false;
    watchRun(this.#directory, criu, {
      held: () => {
        held = true;
        this.#events.held();
      },
      ended: (end) => {
        if (criu === this.#criu) this.#events.ended(end, held);
      },
    });
  }

  #recall(): Promise<Tracked | undefined> {
    return recallRun(this.#directory, this.#deps, "restore");
  }

  /** Resolves with its end; null where there was none, or nobody saw how it ended. */
  async end(): Promise<ProcessEnd | null> {
    const criu = this.#criu ?? (await this.#recall());
    return (await criu?.ended) ?? null;
  }

  /** Resolves when no CRIU is there any more: the hook obeys `aborted`, and one that is stuck elsewhere is killed. */
  async discard(): Promise<void> {
    await this.cameUp();
    const criu = this.#criu ?? (await this.#recall());
    if (criu !== undefined) await endOrKill(criu, this.#deps.processes);
    await endAhead(this.#deps.processes);
  }
}

/** Not `isDeepStrictEqual`: Node loads that when it is first used, in the freeze, which took 20 ms on an emulated machine. */
function isSame(one: TreeRun, other: TreeRun): boolean {
  const words = ({ uid, gid, groups, stdoutInode, stderrInode }: TreeRun): string =>
    [uid, gid, groups.join(), stdoutInode, stderrInode].join(" ");
  return words(one) === words(other);
}
