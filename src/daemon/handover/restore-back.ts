import { join } from "node:path";
import type { Failure, FinalRequest } from "../api.js";
import { expectClocks } from "../clocks.js";
import { readLog, restoreLog } from "../engine.js";
import { isDead, readStat, type ProcessId } from "../procfs.js";
import { criuFailure } from "./criu-failure.js";
import { recallRun, rememberRun } from "./criu-watch.js";
import { failureOf, lost, type HandOverDeps } from "./half.js";
import { hasResumed, removeStatistics } from "./statistics.js";

export interface RestoreBackRequest {
  /** The migration's directory. */
  directory: string;
  /** Where its images lie; undefined: they are gone. */
  images: string | undefined;
  facts: FinalRequest["tree"] | null;
}

/** `imagesGone`: there is nothing to try again with. */
type Outcome = { root: ProcessId } | { failure: Failure; event: "restoreFailed" | "imagesGone" };

/** Brings the dumped tree back to life at the source, from the images that are kept until the migration is confirmed. */
export async function restoreBack(deps: HandOverDeps, request: RestoreBackRequest): Promise<Outcome> {
  const { images, facts } = request;
  if (images === undefined || facts === null)
    return { failure: failureOf("restore", lost()), event: "imagesGone" };
  const criu =
    (await underWay(deps, request.directory)) ?? (await start(deps, request.directory, images, facts));
  const end = await criu.ended;
  const root = await readStat(facts.rootPid);
  if (root !== undefined && (await hasResumed(request.directory))) return { root };
  const failure = criuFailure("restore", end, await readLog(restoreLog(request.directory)));
  return { failure, event: "restoreFailed" };
}

/** A run that an earlier daemon began here: a second one would find its PIDs taken. */
async function underWay(deps: HandOverDeps, directory: string) {
  const criu = await recallRun(directory, deps, "restore");
  if (criu === undefined) return undefined;
  return (await isDead(criu)) && !(await hasResumed(directory)) ? undefined : criu;
}

async function start(deps: HandOverDeps, directory: string, images: string, facts: FinalRequest["tree"]) {
  const { uid, gid, groups, stdoutInode, stderrInode } = facts;
  const owner = { uid, gid, groups };
  const pipes = { stdout: stdoutInode, stderr: stderrInode };
  await removeStatistics(directory, "restore");
  await expectClocks(deps.paths, directory, facts);
  const criu = await deps.engine.restore({
    owner,
    imagesDir: join(images, "final"),
    workDir: directory,
    clocksIn: directory,
    pipes,
  });
  await rememberRun(directory, "restore", criu, deps.life);
  return criu;
}
