/** What failed half way, or an earlier daemon had begun: its verdict stands, or it is given up now. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FastmigError, messageOf } from "../../errors.js";
import { newObjects, readImage } from "../../image/image.js";
import type { Access } from "../../image/store/access.js";
import type { Store } from "../../image/store/store.js";
import { orAfter } from "../../wait.js";
import { DumpRun } from "../handover/dump-run.js";
import { killTree } from "../handover/kill.js";
import { RestoreRun } from "../handover/restore-run.js";
import { hasResumed } from "../handover/statistics.js";
import { TreeWatch } from "../handover/tree-watch.js";
import { migrationDirectory } from "../paths.js";
import { decide } from "../verdict.js";
import { makeDirectory } from "../at-once.js";
import { bury } from "./checkpoint.js";
import type { ImageDeps } from "./deps.js";
import { removeObjects, storeFor } from "./objects.js";
import type { Remembered } from "./record.js";
import { takeOver } from "./restore.js";

/** Brings it to an end. True: to the one that was asked for; else the service goes on as before, or nothing of it runs. */
export async function recover(deps: ImageDeps, work: Remembered, access: Access = {}): Promise<boolean> {
  const directory = migrationDirectory(deps.paths, work.id);
  await makeDirectory(directory);
  const done =
    work.verb === "checkpoint"
      ? await recoverCheckpoint(deps, work, directory, access)
      : await recoverRestore(deps, work, directory);
  await rm(join(deps.paths.images, work.id), { recursive: true, force: true });
  await removeObjects(deps.paths);
  return done;
}

/** Milliseconds that a store has to tidy up: whoever waits is to hear that the service goes on. */
const patience = 10_000;

type Of<V> = Extract<Remembered, { verb: V }>;
const nothing = { held: () => undefined, ended: () => undefined };

async function recoverCheckpoint(
  deps: ImageDeps,
  work: Of<"checkpoint">,
  directory: string,
  access: Access,
): Promise<boolean> {
  const run = new DumpRun(deps, directory, nothing);
  const tree = new TreeWatch(deps, directory, run);
  if ((await decide(directory, "aborted")) === "released") return bury(deps, tree);
  // A CRIU that is killed lets the tree go, wherever it is.
  await run.discard();
  await tree.resumed();
  try {
    await orAfter(patience, () => removeUnfinished(work, access));
  } catch (thrown) {
    // It takes room there; nobody takes it for an image.
    deps.log.error("what there is of the image stays", { url: work.url, message: messageOf(thrown) });
  }
  return false;
}

async function removeUnfinished({ url, id, shards }: Of<"checkpoint">, access: Access): Promise<void> {
  const store = await storeFor(url, access);
  if ((await idAt(store)) === id) return;
  const objects = newObjects(id, shards);
  await store.remove([objects.index, ...objects.shards]);
  await store.clear();
}

/** Of the image there; undefined: there is none that this daemon could have made. Throws where the store does not say. */
async function idAt(store: Store): Promise<string | undefined> {
  try {
    return (await readImage(store)).manifest.id;
  } catch (thrown) {
    if (thrown instanceof FastmigError && thrown.code !== "IMAGE_STORE") return undefined;
    throw thrown;
  }
}

async function recoverRestore(deps: ImageDeps, work: Of<"restore">, directory: string): Promise<boolean> {
  const run = new RestoreRun(deps, directory, nothing, { stream: true });
  if ((await decide(directory, "aborted")) === "running") {
    await run.end();
    if (await hasResumed(directory)) {
      await takeOver(deps, work);
      return true;
    }
  }
  await run.discard();
  await killTree(work.rootPid, deps.processes);
  return false;
}
