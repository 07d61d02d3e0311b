import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Argv } from "../argv.js";
import { inNode } from "./exec.js";
import { shortHash, type LabPaths } from "./paths.js";
import { attempt, run } from "./run.js";
import { labNode, type LabNode, type LabState } from "./state.js";

const imageOf = (node: LabNode, path: string): string => join(node.dir, "disks", `${shortHash(path)}.img`);

/**
 * Mounts an empty ext4 of about `bytes` (at least 1 MiB) over a directory of a node: a disk that is soon full.
 * What the directory held is hidden until `unlimitDisk`; containers that already run do not see the change.
 */
export async function limitDisk(state: LabState, name: string, path: string, bytes: number): Promise<void> {
  const node = labNode(state, name);
  if (state.launcher === "vm") return limitMachineDisk(state, name, path, bytes);
  const image = imageOf(node, path);
  await mkdir(join(node.dir, "disks"), { recursive: true });
  await writeFile(image, "");
  await truncate(image, bytes);
  await run(smallDisk(image));
  const device = (await run(["losetup", "--find", "--show", image])).trim();
  try {
    await inNode(state, name, ["mkdir", "-p", path]);
    await inNode(state, name, ["mount", device, path]);
  } finally {
    // A device in use is only marked: it goes away with its mount, and so with the node.
    await run(["losetup", "--detach", device]);
  }
}

const smallDisk = (image: string): Argv => [
  ...["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", image],
];

/** The image lies on the machine's own disk: its kernel is not ours. */
async function limitMachineDisk(state: LabState, name: string, path: string, bytes: number): Promise<void> {
  const image = machineImage(path);
  await inNode(state, name, ["mkdir", "-p", path, dirname(image)]);
  await inNode(state, name, ["truncate", "-s", String(bytes), image]);
  await inNode(state, name, smallDisk(image));
  await inNode(state, name, ["mount", "-o", "loop", image, path]);
}

const machineImage = (path: string): string => `/var/lab/${shortHash(path)}.img`;

/** Undoes `limitDisk`; processes that still use the directory keep the small one. */
export async function unlimitDisk(state: LabState, name: string, path: string): Promise<void> {
  await inNode(state, name, ["umount", "--lazy", path]);
  if (state.launcher === "vm") await inNode(state, name, ["rm", "-f", machineImage(path)]);
  else await rm(imageOf(labNode(state, name), path), { force: true });
}

/** Frees devices that a killed `limitDisk` left attached. */
export async function freeDevices(paths: Pick<LabPaths, "dir">): Promise<void> {
  const list = await attempt(["losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"]);
  if (!list.ok) return;
  for (const line of list.stdout.split("\n")) {
    const [device, ...file] = line.trim().split(/\s+/);
    if (device !== undefined && file.join(" ").startsWith(`${paths.dir}/`))
      await attempt(["losetup", "--detach", device]);
  }
}
