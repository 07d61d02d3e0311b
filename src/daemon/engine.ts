/** CRIU in this container. Nothing outside this file knows where or as whom CRIU runs. */
import { chown, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  checkArgv,
  cpuinfoCheckArgv,
  cpuinfoDumpArgv,
  dumpArgv,
  restoreArgv,
  versionArgv,
  type InheritedPipe,
} from "../criu/argv.js";
import type { Argv } from "../argv.js";
import { runCommand, tail, type CommandResult } from "./command.js";
import { capability, inheritedPipeFds } from "./init-client.js";
import type { DaemonPaths } from "./paths.js";
import type { Processes, Tracked } from "./processes.js";

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
  /** The migration's directory, where the hook `hold` waits for the verdict; undefined: it waits for nothing. */
  holdIn?: string;
}

export interface DumpJob extends CriuJob {
  rootPid: number;
}

/** The pipes that the dumped tree had as its outputs, by inode at the source; null: it had that one closed. */
export interface DumpedPipes {
  stdout: number | null;
  stderr: number | null;
}

export interface RestoreJob extends CriuJob {
  pipes: DumpedPipes;
}

export interface Engine {
  readonly version: string;
  dump(job: DumpJob): Promise<Tracked>;
  restore(job: RestoreJob): Promise<Tracked>;
  cpuDump(directory: string): Promise<CommandResult>;
  cpuCheck(directory: string): Promise<CommandResult>;
  /** So that the first dump of this user does not pay for CRIU's look at the kernel (~1 s). */
  warm(owner: TreeOwner): Promise<void>;
}

export const dumpLog = (workDir: string): string => join(workDir, "dump.log");
export const restoreLog = (workDir: string): string => join(workDir, "restore.log");
export const restorePidFile = (workDir: string): string => join(workDir, "restored.pid");

const searchPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/** Seconds CRIU may take to stop all tasks; they go on where it takes longer. */
const seizeTimeout = 10;

export async function containerEngine(processes: Processes, paths: DaemonPaths): Promise<Engine> {
  const { output } = await runCommand(versionArgv());
  const version = /Version: (\S+)/.exec(output)?.[1] ?? "";
  const cacheOf = (uid: number): string => join(paths.images, `criu-${uid}`);
  const warmed = new Set<number>();

  async function start(
    name: string,
    job: CriuJob,
    argv: Argv,
    extra: Record<string, string>,
  ): Promise<Tracked> {
    await ownDirectory(cacheOf(job.owner.uid), job.owner);
    await ownDirectory(job.workDir, job.owner);
    const env: Record<string, string> = {
      PATH: searchPath,
      XDG_RUNTIME_DIR: cacheOf(job.owner.uid),
      ...extra,
    };
    if (job.holdIn !== undefined) env["FASTMIG_HOLD"] = job.holdIn;
    return processes.spawn({
      name,
      uid: job.owner.uid,
      gid: job.owner.gid,
      groups: job.owner.groups,
      ambient: [capability.SETPCAP, capability.SYS_PTRACE, capability.CHECKPOINT_RESTORE],
      cwd: job.workDir,
      stdio: { file: join(job.workDir, `${name}.out`) },
      inheritPipes: true,
      argv,
      env,
    });
  }

  return {
    version,
    dump: (job) =>
      start(
        "dump",
        job,
        dumpArgv({ ...job, ...hook(job), logFile: dumpLog(job.workDir), timeoutS: seizeTimeout }),
        {},
      ),
    restore: async (job) => {
      await rm(restorePidFile(job.workDir), { force: true });
      const inodes = await processes.init.pipes();
      await processes.init.chownPipes(job.owner.uid, job.owner.gid);
      const options = {
        ...job,
        ...hook(job),
        logFile: restoreLog(job.workDir),
        pidfile: restorePidFile(job.workDir),
      };
      return start("restore", job, restoreArgv({ ...options, pipes: inherited(job.pipes) }), {
        FASTMIG_STDOUT_INODE: String(inodes.stdout),
        FASTMIG_STDERR_INODE: String(inodes.stderr),
        FASTMIG_EXPECT_STDOUT: job.pipes.stdout === null ? "0" : "1",
        FASTMIG_EXPECT_STDERR: job.pipes.stderr === null ? "0" : "1",
      });
    },
    cpuDump: (directory) => runCommand(cpuinfoDumpArgv(directory)),
    cpuCheck: (directory) => runCommand(cpuinfoCheckArgv(directory)),
    warm: async (owner) => {
      if (warmed.has(owner.uid)) return;
      await ownDirectory(cacheOf(owner.uid), owner);
      await warmCache(processes, owner, cacheOf(owner.uid));
      warmed.add(owner.uid);
    },
  };
}

/** Where nothing is held, CRIU asks nobody. */
function hook(job: CriuJob): { hook?: string } {
  return job.holdIn === undefined ? { hook: "/bin/true" } : {};
}

async function warmCache(processes: Processes, owner: TreeOwner, cache: string): Promise<void> {
  const check = await processes.spawn({
    name: "check",
    uid: owner.uid,
    gid: owner.gid,
    groups: owner.groups,
    ambient: [capability.SETPCAP, capability.SYS_PTRACE, capability.CHECKPOINT_RESTORE],
    cwd: "/",
    stdio: { file: join(cache, "check.out") },
    argv: checkArgv(),
    env: { PATH: searchPath, XDG_RUNTIME_DIR: cache },
  });
  // Its exit status says nothing in a container (FACTS); the canary judges.
  await check.ended;
}

/** Creates the directory, 0700, and gives it to the owner. */
export async function ownDirectory(path: string, owner: Pick<TreeOwner, "uid" | "gid">): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
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
    return await readFile(path, "utf8");
  } catch {
    return tail(await readFile(path.replace(/\.log$/, ".out"), "utf8").catch(() => "")).join("\n");
  }
}
