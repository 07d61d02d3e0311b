import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { FastmigError, exitCodes } from "../errors.js";
import { cacheDir, labPaths, labsDirectory, type LabPaths } from "./paths.js";
import { removeGroups } from "./cgroups.js";
import { freeDevices } from "./disk.js";
import { withLock } from "./lock.js";
import { groundOf, removeNamespace, removeNamespaceDirectory } from "./namespaces.js";
import { controllerPort, switchName } from "./network.js";
import { attempt } from "./run.js";
import { obstacle } from "./requirements.js";
import { patience } from "./up.js";

/** Ends a lab and removes all that it had. It asks the machine, not the lab's papers, what there is. */
export async function down(name = "lab"): Promise<void> {
  const paths = labPaths(name);
  const reason = await obstacle();
  if (reason !== undefined) throw reason;
  await withLock(paths.dir, patience, () => remove(paths));
}

async function remove(paths: LabPaths): Promise<void> {
  const names = await readdir(paths.namespaces).catch(() => []);
  for (const name of names.filter((each) => each !== switchName)) await removeNamespace(paths, name);
  await removeNamespace(paths, switchName);
  await attempt(["ip", "link", "del", "dev", controllerPort(paths.id)]);
  await removeNamespaceDirectory(paths);
  await removeGroups(paths.id);
  await freeDevices(paths);
  await rm(paths.dir, { recursive: true, force: true });
}

/** Removes root file systems and images; the next `up` builds them again. Throws LAB_BUSY while any lab is up. */
export async function purge(): Promise<void> {
  const labs = await labsOnCache();
  if (labs.length > 0) throw busy(labs);
  await rm(cacheDir(), { recursive: true, force: true });
}

async function labsOnCache(): Promise<string[]> {
  const ids = await readdir(labsDirectory).catch(() => []);
  const grounds = await Promise.all(
    ids.map(async (id) => ({ id, root: await groundOf(join(labsDirectory, id)) })),
  );
  return grounds.filter(({ root }) => root.startsWith(`${cacheDir()}/`)).map(({ id }) => id);
}

function busy(labs: readonly string[]): FastmigError {
  return new FastmigError(`the caches stay: other labs stand on them (${labs.join(", ")})`, {
    code: "LAB_BUSY",
    exit: exitCodes.usage,
    hint: labs.map((id) => `fastmig lab down --name ${id.replace(/-[^-]*$/, "")}`),
  });
}
