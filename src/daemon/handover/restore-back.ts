import { join } from "node:path";
import type { Failure } from "../api.js";
import { readLog, restoreLog } from "../engine.js";
import { readStat, type ProcessId } from "../procfs.js";
import { criuFailure } from "./criu-failure.js";
import type { HandOverDeps } from "./half.js";
import { directoryOwner } from "./tree-facts.js";

/** Brings the dumped tree back to life at the source, from the images that are kept until the migration is confirmed. */
export async function restoreBack(
  { engine, processes }: HandOverDeps,
  where: { directory: string; images: string; rootPid: number },
): Promise<{ root: ProcessId } | { failure: Failure }> {
  const owner = await directoryOwner(where.directory);
  const pipes = await processes.init.pipes();
  const job = { owner, imagesDir: join(where.images, "final"), workDir: where.directory, pipes };
  const end = await (await engine.restore(job)).ended;
  const root = await readStat(where.rootPid);
  if (end?.kind === "exited" && end.code === 0 && root !== undefined) return { root };
  return { failure: criuFailure("restore", end, await readLog(restoreLog(where.directory))) };
}
