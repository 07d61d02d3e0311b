import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { waitFor } from "../wait.js";
import { kill } from "./processes.js";

/** One cgroup hierarchy of this machine. */
export interface Hierarchy {
  mountpoint: string;
  /** What `mount -t cgroup -o` wants (version 1), or null for version 2. */
  options: string | null;
}

/** Pure: reads the text of /proc/self/mountinfo. */
export function parseHierarchies(mountinfo: string): Hierarchy[] {
  return mountinfo.split("\n").flatMap((line): Hierarchy[] => {
    const [left, right] = line.split(" - ");
    const [type, , options] = right?.split(" ") ?? [];
    const mountpoint = left?.split(" ")[4];
    if (mountpoint === undefined || options === undefined) return [];
    if (type === "cgroup2") return [{ mountpoint, options: null }];
    return type === "cgroup" ? [{ mountpoint, options: controllers(options) }] : [];
  });
}

/** A named hierarchy without controllers must be mounted with `none`. */
function controllers(options: string): string {
  const words = options.split(",").filter((word) => !["rw", "ro", "xattr", "clone_children"].includes(word));
  const kept = words.filter((word) => !word.startsWith("release_agent="));
  return kept.every((word) => word.startsWith("name=")) ? ["none", ...kept].join(",") : kept.join(",");
}

export async function hierarchies(): Promise<Hierarchy[]> {
  return parseHierarchies(await readFile("/proc/self/mountinfo", "utf8"));
}

/** Hybrid or version 1: crun refuses it, runc does not. */
export const isVersion1 = (all: readonly Hierarchy[]): boolean => all.some((each) => each.options !== null);

/** Where a node's processes live in one hierarchy. */
export const nodeGroup = (hierarchy: Hierarchy, id: string, node: string): string =>
  join(hierarchy.mountpoint, `fastmig-${id}`, node);

/** The mount point's name below /sys/fs/cgroup inside a node; empty where version 2 is the only one. */
export function groupMount(hierarchy: Hierarchy, all: readonly Hierarchy[]): string {
  return isVersion1(all) ? `/sys/fs/cgroup/${basename(hierarchy.mountpoint)}` : "/sys/fs/cgroup";
}

/**
 * Makes a node's groups. `launch` takes the launcher, which stays outside: version 2 allows no processes
 * beside the groups that the engine will make.
 */
export async function makeGroups(id: string, node: string): Promise<string[]> {
  const all = await hierarchies();
  for (const each of all) await makeGroup(each, nodeGroup(each, id, node));
  for (const each of all) await makeGroup(each, launchGroup(each, id));
  return all.map((each) => nodeGroup(each, id, node));
}

const launchGroup = (hierarchy: Hierarchy, id: string): string => nodeGroup(hierarchy, id, "launch");

/** A version 1 cpuset takes no process before it has CPUs and memory nodes of its own. */
async function makeGroup(hierarchy: Hierarchy, path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  if (hierarchy.options?.split(",").includes("cpuset") !== true) return;
  for (const dir of [join(path, ".."), path]) {
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      await writeFile(join(dir, file), await readFile(join(dir, "..", file)));
    }
  }
}

export async function moveToLaunchGroup(id: string, pid: number): Promise<void> {
  for (const each of await hierarchies())
    await writeFile(join(launchGroup(each, id), "cgroup.procs"), String(pid));
}

/** Removes the groups of a node, or of the whole lab, and kills what is in them: a launcher may have come no further. */
export async function removeGroups(id: string, node = ""): Promise<void> {
  for (const each of await hierarchies()) await removeGroup(nodeGroup(each, id, node));
}

async function removeGroup(path: string): Promise<void> {
  const children = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (children === undefined) return;
  for (const child of children) if (child.isDirectory()) await removeGroup(join(path, child.name));
  await waitFor(`removal of the cgroup ${path}`, () => emptyAndRemove(path), {
    timeout: 10_000,
    interval: 20,
  });
}

/** The kernel frees a group a little after its last process: the first try may fail. */
async function emptyAndRemove(path: string): Promise<true> {
  const pids = (await readFile(join(path, "cgroup.procs"), "utf8"))
    .split("\n")
    .filter((pid) => pid !== "" && pid !== "0");
  for (const pid of pids) kill(Number(pid));
  await rmdir(path);
  return true;
}
