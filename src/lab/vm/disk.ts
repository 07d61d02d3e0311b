import { copyFile, glob, mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Argv } from "../../argv.js";
import { cached } from "../cache.js";
import { buildRoot, recipeKey, type Say } from "../root.js";
import { run } from "../run.js";
import type { Machine } from "../state.js";
import { machineRecipe } from "./recipe.js";

/** What machines start from, the same for all: a raw ext4 image and the kernel. */
export type MachineBase = Pick<Machine, "disk" | "kernel">;

/** Bytes as a machine sees its disk. On ours the image is as large as what was written. */
const diskSize = 16 * 2 ** 30;

/** Few inodes, and all of them written now: a machine would do it behind a measurement's back. */
const mkfs = (image: string, root: string): Argv => [
  ...["mkfs.ext4", "-q", "-F", "-m", "0", "-i", "65536", "-J", "size=64"],
  ...["-E", "lazy_itable_init=0,nodiscard", "-d", root, image],
];

/** Made if it is missing (about two minutes). */
export async function ensureMachineBase(say: Say): Promise<MachineBase> {
  const dir = await cached(`machine-${recipeKey(machineRecipe)}`, async (beside) => {
    const [root, image] = [join(beside, "root"), join(beside, "disk.img")];
    await mkdir(beside);
    await buildRoot(machineRecipe, root, say);
    for await (const kernel of glob(`${root}/boot/vmlinuz-*`)) await copyFile(kernel, join(beside, "kernel"));
    await writeFile(image, "");
    await truncate(image, diskSize);
    await run(mkfs(image, root));
    await rm(root, { recursive: true });
  });
  return { disk: join(dir, "disk.img"), kernel: join(dir, "kernel") };
}
