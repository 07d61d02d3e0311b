/** A process like the service's, dumped and restored for real: the only proof that CRIU works here, for this user. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CanaryRequest, CanaryResult } from "./api.js";
import { dumpLog, ownDirectory, readLog, restoreLog, type Engine, type TreeOwner } from "./engine.js";
import { criuFailure } from "./handover/criu-failure.js";
import { Failed, failureOf } from "./handover/half.js";
import { pipesOf } from "./handover/tree-facts.js";
import type { DaemonPaths } from "./paths.js";
import { succeeded, type Processes, type Tracked } from "./processes.js";
import { isDead, memoryOf, readStat, type ProcessId } from "./procfs.js";
import { firstPid } from "./service.js";
import { formatSize } from "../units.js";
import { waitFor } from "../wait.js";
import { lookUpUser } from "./users.js";

export interface CanaryDeps {
  processes: Processes;
  engine: Engine;
  paths: DaemonPaths;
}

/**
 * What it holds is written page by page, each with a content of its own: equal pages would be cheaper than a service's.
 * A restore may interrupt its sleep, and Perl's then ends.
 */
const ballast = '$m .= pack("Q", $_) x 512 for 1 .. shift() / 4096; sleep 600 while 1';
/** Milliseconds for that; an emulated machine writes 100 MB in a second. */
const fillLimit = 60_000;

/** @param request bytes of memory that it holds when it is dumped; 0: as little as a process can. */
export async function runCanary(deps: CanaryDeps, { user, memory }: CanaryRequest): Promise<CanaryResult> {
  const directory = join(deps.paths.images, "canary");
  const times = { dumpMs: 0, restoreMs: 0 };
  try {
    await rm(directory, { recursive: true, force: true });
    await dumpAndRestore(deps, { owner: await lookUpUser(user), memory }, directory, times);
    return { ok: true, ...times, failure: null };
  } catch (thrown) {
    return { ok: false, ...times, failure: failureOf("canary", thrown) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function dumpAndRestore(
  deps: CanaryDeps,
  { owner, memory }: { owner: TreeOwner; memory: number },
  directory: string,
  times: { dumpMs: number; restoreMs: number },
): Promise<void> {
  const { processes, engine } = deps;
  await engine.warm(owner);
  await ownDirectory(directory, owner);
  await processes.init.moveCursor(firstPid - 1);
  const bird = await hatch(processes, owner, memory);
  try {
    await grown(bird, memory);
    const pipes = await pipesOf([bird], await processes.init.pipes());
    const job = { owner, imagesDir: directory, workDir: directory };
    times.dumpMs = await timed(async () =>
      expectSuccess("dump", await engine.dump({ ...job, rootPid: bird.pid }), dumpLog(directory)),
    );
    await bird.ended;
    times.restoreMs = await timed(async () =>
      expectSuccess("restore", await engine.restore({ ...job, pipes }), restoreLog(directory)),
    );
    await expectSame(bird, pipes.stdout);
  } finally {
    await end(processes, bird.pid);
  }
}

function hatch(processes: Processes, owner: TreeOwner, memory: number): Promise<Tracked> {
  return processes.spawn({
    name: "canary",
    uid: owner.uid,
    gid: owner.gid,
    groups: owner.groups,
    cwd: "/",
    stdio: "service",
    argv: memory === 0 ? ["sleep", "600"] : ["perl", "-e", ballast, `${memory}`],
    env: { PATH: "/usr/bin:/bin" },
  });
}

async function grown(bird: Tracked, memory: number): Promise<void> {
  const look = async (): Promise<"ended" | "grown" | undefined> => {
    if (await isDead(bird)) return "ended";
    return (await memoryOf(bird.pid)).rss >= memory ? "grown" : undefined;
  };
  const what = `a canary of ${formatSize(memory)}`;
  if ((await waitFor(what, look, { timeout: fillLimit, interval: 5 })) === "ended")
    throw new Error(`${what} ended before it had its memory`);
}

async function expectSuccess(step: "dump" | "restore", criu: Tracked, log: string): Promise<void> {
  const end = await criu.ended;
  if (succeeded(end)) return;
  throw new Failed(criuFailure(step, end, await readLog(log)));
}

/** It lives again, under its PID, and its output still leads to the container's log. */
async function expectSame(bird: ProcessId, stdout: number | null): Promise<void> {
  const stat = await readStat(bird.pid);
  if (stat === undefined) throw new Error("the canary was restored and is gone");
  if (stdout === null) throw new Error("the canary had lost its output before it was dumped");
}

async function end(processes: Processes, pid: number): Promise<void> {
  const stat = await readStat(pid);
  if (stat === undefined || stat.state === "Z" || stat.parent !== 1) return;
  const tracked = processes.track(stat);
  if (!(await isDead(stat))) await processes.kill(pid, 9);
  await tracked.ended;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round((performance.now() - start) * 10) / 10;
}
