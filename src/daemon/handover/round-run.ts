/** One round: CRIU's pre-dump, and what it writes shipped meanwhile. */
import { basename, join } from "node:path";
import { stopwatch } from "../../stopwatch.js";
import { sumOf } from "../../sum.js";
import type { Round } from "../api.js";
import { PeerState } from "../api.js";
import { ownDirectory, readLog, roundLog, roundName, type TreeOwner } from "../engine.js";
import { succeeded, type Tracked } from "../processes.js";
import type { PeerClient } from "../transfer/client.js";
import { isPageMap } from "../transfer/image-files.js";
import type { Pace } from "../transfer/pace.js";
import type { FinalFile } from "../transfer/segment.js";
import { createShipper, type Shipper } from "../transfer/shipper.js";
import { doubtIn, figuresOf } from "./chain.js";
import { criuFailure } from "./criu-failure.js";
import { Failed, type HandOverDeps } from "./half.js";
import { endPreDump } from "./kill.js";
import { retryLost } from "./retry.js";
import { Silence } from "./silence.js";
import { StallWatch } from "./stall.js";
import { readStatistics, removeStatistics } from "./statistics.js";

/** Milliseconds between two looks at what CRIU has written: each takes processor time from it and the service. */
const unhurried = 50;
/** Milliseconds; the destination has hashed everything already. */
const answerLimit = 5000;

export interface RoundWork {
  round: Round;
  epoch: number;
  /** The migration's directory: CRIU's log and statistics. */
  directory: string;
  images: string;
  /** Of the tree. */
  owner: TreeOwner;
  client: PeerClient;
  pace: Pace;
  /** Aborts where the round is given up. */
  signal: AbortSignal;
  /** Told while it goes on. */
  change(change: Partial<Round>): void;
}

/**
 * Resolves when the peer holds every byte of it, with the moment right before CRIU began to freeze the tree: milliseconds of the
 * machine's monotonic clock. Rejects with Failed, or whatever else went wrong; then CRIU has ended and nothing is under way any
 * more.
 */
export async function runRound(deps: HandOverDeps, work: RoundWork): Promise<number> {
  const { round, images, client, pace, signal, change } = work;
  const since = stopwatch();
  const silence = new Silence(signal);
  const shipper = createShipper({
    root: images,
    directories: [`${round.number}`],
    client,
    pace,
    signal: silence.signal,
    lookEvery: unhurried,
    onWait: () => silence.broken(),
    onProgress: ({ bytes, total }) => {
      silence.broken();
      change({ shipped: bytes, bytes: total });
    },
  });
  try {
    const frozeAt = await preDump(deps, work, shipper);
    change({ state: "shipping", dumpMs: since() });
    const files = await silence.watch(() => deliver(work, shipper, silence.signal));
    const maps = files.filter(({ file }) => isPageMap(basename(file)));
    change({ totalMs: since(), mapBytes: sumOf(maps.map(({ size }) => size)) });
    return frozeAt;
  } finally {
    silence.end();
    await shipper.close();
  }
}

/** After a daemon's death: its CRIU must not outlive it. */
export async function endLeftRound({ processes }: HandOverDeps): Promise<void> {
  const left = (await processes.init.list()).filter(({ name }) => name === roundName);
  for (const child of left) await endPreDump(processes.track(child), processes);
}

/** Resolves with the moment of the freeze, once CRIU has ended well. */
async function preDump(deps: HandOverDeps, work: RoundWork, shipper: Shipper): Promise<number> {
  const { round, directory, images, owner, change } = work;
  const root = deps.service.process;
  if (root === undefined) throw new Error("the service is not running");
  const imagesDir = join(images, `${round.number}`);
  for (const path of [directory, images, imagesDir]) await ownDirectory(path, owner);
  await removeStatistics(directory, "dump");
  const parent = round.parent === null ? {} : { parent: `../${round.parent}` };
  const frozeAt = monotonic();
  const criu = await deps.engine.preDump({
    owner,
    imagesDir,
    workDir: directory,
    rootPid: root.pid,
    ...parent,
  });
  shipper.follow();
  await endOf(criu, deps, work);
  // What was written since is scattered: there is little to join, and the look would take long.
  if (round.parent === null) await deps.pageLists.join(imagesDir);
  const figures = figuresOf(await readStatistics(directory, "dump"));
  if (figures !== null) change(figures);
  const doubt = doubtIn({ parent: round.parent, pages: figures?.pages ?? null });
  if (doubt !== undefined) throw new Error(doubt);
  return frozeAt;
}

/** Goes on over a daemon's death, as `performance.now()` does not. */
function monotonic(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

async function endOf(
  criu: Tracked,
  { processes }: HandOverDeps,
  { directory, signal }: RoundWork,
): Promise<void> {
  const givenUp = new Promise<"given up">((resolve) => {
    signal.addEventListener("abort", () => resolve("given up"), { once: true });
    if (signal.aborted) resolve("given up");
  });
  const stall = new StallWatch(criu, processes);
  const end = await Promise.race([criu.ended, givenUp]).finally(() => stall.end());
  if (end === "given up") {
    await endPreDump(criu, processes);
    throw signal.reason as Error;
  }
  if (!succeeded(end))
    throw new Failed(criuFailure("round", end, await readLog(roundLog(directory)), stall.why));
}

async function deliver(
  { round, epoch, client, change }: RoundWork,
  shipper: Shipper,
  signal: AbortSignal,
): Promise<FinalFile[]> {
  const files = await shipper.finish();
  const since = stopwatch();
  const arrived = { epoch, round: round.number, files };
  await retryLost((limited) => client.post("round", arrived, PeerState, limited), signal, answerLimit);
  change({ answerMs: since() });
  return files;
}
