/** CRIU in this container. Nothing outside this file knows where or as whom CRIU runs. */
import { join } from "node:path";
import {
  checkArgv,
  cpuinfoCheckArgv,
  cpuinfoDumpArgv,
  dumpArgv,
  featureArgv,
  preDumpArgv,
  restoreArgv,
  versionArgv,
  type InheritedPipe,
  type RestoreOptions,
  type PreDumpMode,
} from "../criu/argv.js";
import type { Argv } from "../argv.js";
import { chown, makeDirectory, readText, removeFile } from "./at-once.js";
import { clockVariables } from "./clocks.js";
import { runCommand, tail, type CommandResult } from "./command.js";
import { CriuPids } from "./criu-pids.js";
import { capability, inheritedPipeFds, type ProcessEnd } from "./init-client.js";
import type { DaemonPaths } from "./paths.js";
import { succeeded, type Processes, type Tracked } from "./processes.js";
import { hasCapability, readStat } from "./procfs.js";
import { aheadName, makeGate, WaitingCriu } from "./waiting.js";

/** Whose tree it is: CRIU runs as that user, because root without CAP_SYS_RESOURCE cannot read another's limits. */
export interface TreeOwner {
  uid: number;
  gid: number;
  groups: readonly number[];
}

export interface CriuJob {
  owner: TreeOwner;
  imagesDir: string;
  /** CRIU's working directory: its log and statistics. Belongs to the owner. */
  workDir: string;
  /** The directory, a migration's, where the hook `hold` waits for the verdict; undefined: it waits for nothing. */
  holdIn?: string;
  /** Where nothing is held: the directory in which the hook finds what to set the service's clocks to. */
  clocksIn?: string;
  /** The images go through the streamer that listens in `imagesDir`. */
  stream?: boolean;
  /** Beside ours; of two that contradict each other CRIU takes the later one, these. */
  criuOptions?: readonly string[];
  /** No migration's: nobody looks for it by its name after a daemon's death. */
  trial?: boolean;
}

export interface DumpJob extends CriuJob {
  rootPid: number;
  /** The images it builds on, relative to `imagesDir`: only where the kernel tracked the pages since. */
  parent?: string;
}

export type DumpAhead = Omit<DumpJob, "imagesDir">;

/** The pipes that the dumped tree had as its outputs, by inode at the source; null: it had that one closed. */
export interface DumpedPipes {
  stdout: number | null;
  stderr: number | null;
}

export interface RestoreJob extends CriuJob {
  pipes: DumpedPipes;
  /** Its tasks are left with SIGSTOP. */
  leaveStopped?: boolean;
}

/** A restore whose images are still to come. */
export type RestoreAhead = Omit<RestoreJob, "imagesDir">;

export interface Engine {
  readonly version: string;
  /** What the kernel can beyond what every migration needs: `mem_dirty_track`. Asked once. */
  features(): Promise<readonly string[]>;
  /** CRIU comes up and waits, without touching anything, until it is let go with the directory of the images. */
  dump(job: DumpAhead): Promise<WaitingCriu>;
  /** Only where `features` has `mem_dirty_track`. */
  preDump(job: DumpJob): Promise<Tracked>;
  restore(job: RestoreJob): Promise<Tracked>;
  /** As `dump`. */
  restoreAhead(job: RestoreAhead): Promise<WaitingCriu>;
  cpuDump(directory: string): Promise<CommandResult>;
  cpuCheck(directory: string): Promise<CommandResult>;
  /** So that the first dump of this user does not pay for CRIU's look at the kernel (~1 s). */
  warm(owner: TreeOwner): Promise<void>;
}

/** Not in the directory itself: that is watched while CRIU works, and a line of a log would wake the daemon beside it. */
const logDirectory = (workDir: string): string => join(workDir, "log");
export const dumpLog = (workDir: string): string => join(logDirectory(workDir), "dump.log");
export const roundLog = (workDir: string): string => join(logDirectory(workDir), "round.log");
export const restoreLog = (workDir: string): string => join(logDirectory(workDir), "restore.log");
export const restorePidFile = (workDir: string): string => join(workDir, "restored.pid");

const searchPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Name of a round's CRIU among init's children. */
export const roundName = "round";
/**
 * `splice` keeps all pages in pipes while the tree stands still, and who is unprivileged has pipes of two pages once
 * `pipe-user-pages-soft` (64 MB) is used up: 300 MB froze for 8.2 s, with `read` for 0.7 s.
 */
const preDumpMode: PreDumpMode = "read";
const optionalFeatures = ["mem_dirty_track"];
/** What CRIU keeps where it does not run as root. */
const always = [capability.SETPCAP, capability.SYS_PTRACE, capability.CHECKPOINT_RESTORE];
/**
 * CRIU opens /proc/PID/clear_refs, which is write-only, for reading too: without this one it says, and remembers in its
 * cache, that the kernel tracks no pages. Containers have it unless it was taken from them.
 */
const forTracking = capability.DAC_OVERRIDE;
const root: TreeOwner = { uid: 0, gid: 0, groups: [0] };

/**
 * CRIU's `FI_NO_BREAKPOINTS`: it follows a task through its last system calls. The breakpoint that it sets otherwise is passed
 * now and then (here on emulated machines, one dump of 60; its issues 107 and 2720 elsewhere), and it waits for ever.
 */
const noBreakpoints = { CRIU_FAULT: "130" };

/** Seconds CRIU may take to stop all tasks; they go on where it takes longer. */
const seizeTimeout = 10;

export async function containerEngine(processes: Processes, paths: DaemonPaths): Promise<Engine> {
  const { output } = await runCommand(versionArgv());
  const engine = new ContainerEngine(/Version: (\S+)/.exec(output)?.[1] ?? "", processes, paths);
  // Asked now, so that nobody waits for it later.
  void engine.features();
  return engine;
}

/** What a run of CRIU is started with beside its job. */
interface Start {
  name: string;
  argv: Argv;
  /** Where its own output goes. */
  output: string;
  owner: TreeOwner;
  cwd: string;
  /** It clears or reads the kernel's marks of written pages. */
  tracks: boolean;
  env?: Record<string, string>;
}

class ContainerEngine implements Engine {
  readonly version: string;
  readonly #processes: Processes;
  readonly #paths: DaemonPaths;
  readonly #warmed = new Set<number>();
  #features: Promise<readonly string[]> | undefined;
  readonly #pids = new CriuPids();
  #starting: Promise<unknown> = Promise.resolve();

  constructor(version: string, processes: Processes, paths: DaemonPaths) {
    this.version = version;
    this.#processes = processes;
    this.#paths = paths;
  }

  features(): Promise<readonly string[]> {
    this.#features ??= this.#probe().catch(() => {
      this.#features = undefined;
      return [];
    });
    return this.#features;
  }

  async #probe(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const feature of optionalFeatures) {
      if (succeeded(await this.#check(root, featureArgv(feature)))) found.push(feature);
    }
    return found;
  }

  async dump(job: DumpAhead): Promise<WaitingCriu> {
    const gate = await makeGate(job.workDir, "dump");
    const [images, logFile] = [{ toldIn: gate }, dumpLog(job.workDir)];
    const argv = dumpArgv({ ...job, ...hook(job), images, logFile, timeoutS: seizeTimeout });
    return new WaitingCriu(await this.#work(aheadName, job, argv, {}), gate);
  }

  preDump(job: DumpJob): Promise<Tracked> {
    const [logFile, mode] = [roundLog(job.workDir), preDumpMode];
    const argv = preDumpArgv({ ...job, ...hook(job), logFile, timeoutS: seizeTimeout, mode });
    return this.#work(roundName, job, argv, {});
  }

  restore(job: RestoreJob): Promise<Tracked> {
    return this.#restore("restore", job, { dir: job.imagesDir });
  }

  async restoreAhead(job: RestoreAhead): Promise<WaitingCriu> {
    const gate = await makeGate(job.workDir, "restore");
    return new WaitingCriu(await this.#restore(aheadName, job, { toldIn: gate }), gate);
  }

  async #restore(name: string, job: RestoreAhead, images: RestoreOptions["images"]): Promise<Tracked> {
    await removeFile(restorePidFile(job.workDir));
    const inodes = await this.#processes.init.pipes();
    await this.#processes.init.chownPipes(job.owner.uid, job.owner.gid);
    const files = { logFile: restoreLog(job.workDir), pidfile: restorePidFile(job.workDir) };
    const argv = restoreArgv({ ...job, images, ...hook(job), ...files, pipes: inherited(job.pipes) });
    return this.#work(name, job, argv, {
      FASTMIG_STDOUT_INODE: String(inodes.stdout),
      FASTMIG_STDERR_INODE: String(inodes.stderr),
      FASTMIG_EXPECT_STDOUT: job.pipes.stdout === null ? "0" : "1",
      FASTMIG_EXPECT_STDERR: job.pipes.stderr === null ? "0" : "1",
    });
  }

  cpuDump(directory: string): Promise<CommandResult> {
    return runCommand(cpuinfoDumpArgv(directory));
  }

  cpuCheck(directory: string): Promise<CommandResult> {
    return runCommand(cpuinfoCheckArgv(directory));
  }

  async warm(owner: TreeOwner): Promise<void> {
    if (this.#warmed.has(owner.uid)) return;
    // Its exit status says nothing in a container; the canary judges.
    await this.#check(owner, checkArgv());
    this.#warmed.add(owner.uid);
  }

  async #check(owner: TreeOwner, argv: Argv): Promise<ProcessEnd | null> {
    const cache = this.#cacheOf(owner.uid);
    await ownDirectory(cache, owner);
    const output = join(cache, "check.out");
    const check = await this.#start({ name: "check", argv, output, owner, cwd: "/", tracks: true });
    return check.ended;
  }

  async #work(
    name: string,
    job: Omit<CriuJob, "imagesDir">,
    argv: Argv,
    env: Record<string, string>,
  ): Promise<Tracked> {
    await ownDirectory(this.#cacheOf(job.owner.uid), job.owner);
    for (const path of [job.workDir, logDirectory(job.workDir)]) await ownDirectory(path, job.owner);
    const hold = hookVariables(job, this.#paths);
    const output = join(job.workDir, `${name}.out`);
    // Only a held run and a round are a migration's, and are looked for by its name after a daemon's death.
    const free = job.trial === true || (job.holdIn === undefined && name !== roundName);
    const told = free ? `free-${name}` : name;
    return this.#start({
      name: told,
      argv,
      output,
      owner: job.owner,
      cwd: job.workDir,
      tracks: argv.includes("--track-mem"),
      env: { ...env, ...hold },
    });
  }

  /** One at a time: two would find the same PID free. */
  #start(start: Start): Promise<Tracked> {
    const started = this.#starting.then(() => this.#spawn(start));
    this.#starting = started.catch(() => undefined);
    return started;
  }

  async #spawn({ name, argv, output, owner, cwd, tracks, env }: Start): Promise<Tracked> {
    return this.#processes.spawn({
      name,
      uid: owner.uid,
      gid: owner.gid,
      groups: owner.groups,
      ambient: tracks && (await hasCapability(process.pid, forTracking)) ? [...always, forTracking] : always,
      pid: await this.#pids.next(async (pid) => (await readStat(pid)) !== undefined),
      cwd,
      stdio: { file: output },
      inheritPipes: true,
      argv,
      env: { PATH: searchPath, XDG_RUNTIME_DIR: this.#cacheOf(owner.uid), ...noBreakpoints, ...env },
    });
  }

  #cacheOf(uid: number): string {
    return join(this.#paths.images, `criu-${uid}`);
  }
}

/** Where nothing is held and no clocks are set, CRIU asks nobody. */
function hook({ holdIn, clocksIn }: Pick<CriuJob, "holdIn" | "clocksIn">): { hook?: string } {
  return holdIn === undefined && clocksIn === undefined ? { hook: "/bin/true" } : {};
}

/** A trial has nothing to do with the service's clocks. */
function hookVariables(
  { holdIn, clocksIn, trial }: Partial<CriuJob>,
  paths: DaemonPaths,
): Record<string, string> {
  return {
    ...(holdIn === undefined ? {} : { FASTMIG_HOLD: holdIn }),
    ...(clocksIn === undefined ? {} : { FASTMIG_CLOCKS: clocksIn }),
    ...(trial === true ? {} : clockVariables(paths)),
  };
}

/** Creates the directory, 0700, and gives it to the owner. */
export async function ownDirectory(path: string, owner: Pick<TreeOwner, "uid" | "gid">): Promise<void> {
  await makeDirectory(path);
  await chown(path, owner.uid, owner.gid);
}

function inherited(pipes: DumpedPipes): InheritedPipe[] {
  const stdout = pipes.stdout === null ? [] : [{ fd: inheritedPipeFds.stdout, inode: pipes.stdout }];
  const stderr = pipes.stderr === null ? [] : [{ fd: inheritedPipeFds.stderr, inode: pipes.stderr }];
  return [...stdout, ...stderr];
}

/** A log for a failure message, or what CRIU printed where it did not come as far as a log. */
export async function readLog(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch {
    return tail(await readText(path.replace(/\.log$/, ".out")).catch(() => "")).join("\n");
  }
}
