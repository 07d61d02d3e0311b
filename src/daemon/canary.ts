/** A process like the service's, dumped and restored for real: the only proof that CRIU works here, for this user. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { stopwatch } from "../stopwatch.js";
import { sumOf } from "../sum.js";
import type { CanaryRequest, CanaryResult } from "./api.js";
import { removeFile } from "./at-once.js";
import { replaceDurably } from "./durable.js";
import { dumpLog, ownDirectory, readLog, restoreLog, type Engine, type TreeOwner } from "./engine.js";
import { criuFailure } from "./handover/criu-failure.js";
import { watchRun, type Verb } from "./handover/criu-watch.js";
import { Failed, failureOf } from "./handover/half.js";
import type { ProcessEnd } from "./init-client.js";
import { pipesOf } from "./handover/tree-facts.js";
import type { DaemonPaths } from "./paths.js";
import { succeeded, type Processes, type Tracked } from "./processes.js";
import { initPid, isDead, memoryOf, readStat, type ProcessId } from "./procfs.js";
import { firstPid } from "./service.js";
import { formatSize } from "../units.js";
import { waitFor } from "../wait.js";
import { isPageMap } from "./transfer/image-files.js";
import { lookUpUser } from "./users.js";
import { decide, heldFile, verdictFile } from "./verdict.js";
import type { WaitingCriu } from "./waiting.js";

export interface CanaryDeps {
  processes: Processes;
  engine: Engine;
  paths: DaemonPaths;
}

const trialPath = "/usr/lib/fastmig/trial";
/** Milliseconds until it has its memory; an emulated machine writes 100 MB in a second. */
const fillLimit = 60_000;
/** Durable writes of which the one in the middle counts. */
const writes = 5;

type Figures = Omit<CanaryResult, "ok" | "failure">;

/** What it holds when it is dumped; no memory: as little as a process can. */
interface Bird extends Omit<CanaryRequest, "user"> {
  owner: TreeOwner;
}

export async function runCanary(deps: CanaryDeps, { user, ...size }: CanaryRequest): Promise<CanaryResult> {
  const directory = join(deps.paths.images, "canary");
  const figures: Figures = { dumpMs: 0, releaseMs: 0, restoreMs: 0, resumeMs: 0, mapBytes: 0, durableMs: 0 };
  try {
    await rm(directory, { recursive: true, force: true });
    await dumpAndRestore(deps, { owner: await lookUpUser(user), ...size }, directory, figures);
    figures.durableMs = await timeDurableWrite(deps.paths);
    return { ok: true, ...figures, failure: null };
  } catch (thrown) {
    return { ok: false, ...figures, failure: failureOf("canary", thrown) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function dumpAndRestore(
  deps: CanaryDeps,
  wanted: Bird,
  directory: string,
  figures: Figures,
): Promise<void> {
  const { owner, memory } = wanted;
  const { processes, engine } = deps;
  await engine.warm(owner);
  await ownDirectory(directory, owner);
  await processes.init.moveCursor(firstPid - 1);
  const bird = await hatch(processes, wanted);
  const waiting: WaitingCriu[] = [];
  const up = async (criu: Promise<WaitingCriu>): Promise<WaitingCriu> => {
    waiting.push(await criu);
    return criu;
  };
  try {
    await grown(bird, memory);
    const pipes = await pipesOf([bird], await processes.init.pipes());
    const job = { owner, workDir: directory, holdIn: directory, trial: true };
    const restore = await up(engine.restoreAhead({ ...job, pipes }));
    const dump = await up(engine.dump({ ...job, rootPid: bird.pid }));
    const dumping = stopwatch();
    await dump.letGo(directory);
    [figures.dumpMs, figures.releaseMs] = await held(directory, "dump", dump.criu, dumping);
    await bird.ended;
    figures.mapBytes = await mapBytesIn(directory);
    for (const file of [verdictFile(directory), heldFile(directory)]) await removeFile(file);
    const restoring = stopwatch();
    await restore.letGo(directory);
    [figures.restoreMs, figures.resumeMs] = await held(directory, "restore", restore.criu, restoring);
    await expectSame(bird, pipes.stdout);
  } finally {
    for (const { criu } of waiting) await end(processes, criu.pid);
    await end(processes, bird.pid);
  }
}

function hatch(processes: Processes, { owner, memory, scattered }: Bird): Promise<Tracked> {
  return processes.spawn({
    name: "canary",
    uid: owner.uid,
    gid: owner.gid,
    groups: owner.groups,
    cwd: "/",
    stdio: "service",
    argv: [trialPath, `${memory}`, scattered ? "2" : "1"],
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

/** Lets go what CRIU holds in the hook, as a hand-over does. Milliseconds until it was held, and from there to CRIU's end. */
async function held(
  directory: string,
  verb: Verb,
  criu: Tracked,
  since: () => number,
): Promise<[heldMs: number, endMs: number]> {
  let [heldMs, sinceHeld] = [NaN, since];
  const end = await new Promise<ProcessEnd | null>((resolve, reject) => {
    const release = (): void => {
      [heldMs, sinceHeld] = [since(), stopwatch()];
      decide(directory, verb === "dump" ? "released" : "running").catch(reject);
    };
    watchRun(directory, criu, { held: release, ended: resolve });
  });
  if (!succeeded(end)) {
    const log = verb === "dump" ? dumpLog(directory) : restoreLog(directory);
    throw new Failed(criuFailure(verb, end, await readLog(log)));
  }
  return [heldMs, sinceHeld()];
}

/** It lives again, under its PID, and its output still leads to the container's log. */
async function expectSame(bird: ProcessId, stdout: number | null): Promise<void> {
  const stat = await readStat(bird.pid);
  if (stat === undefined) throw new Error("the canary was restored and is gone");
  if (stdout === null) throw new Error("the canary had lost its output before it was dumped");
}

async function end(processes: Processes, pid: number): Promise<void> {
  const stat = await readStat(pid);
  if (stat === undefined || stat.state === "Z" || stat.parent !== initPid) return;
  const tracked = processes.track(stat);
  if (!(await isDead(stat))) await processes.kill(pid, 9);
  await tracked.ended;
}

async function mapBytesIn(directory: string): Promise<number> {
  const maps = (await readdir(directory)).filter(isPageMap);
  return sumOf(await Promise.all(maps.map(async (name) => (await stat(join(directory, name))).size)));
}

async function timeDurableWrite({ state }: DaemonPaths): Promise<number> {
  const path = join(state, "canary");
  const times: number[] = [];
  for (let write = 0; write < writes; write += 1) {
    const since = stopwatch();
    await replaceDurably(path, "as long as a verdict and more\n");
    times.push(since());
  }
  await removeFile(path);
  return times.sort((a, b) => a - b)[writes >> 1] ?? 0;
}
