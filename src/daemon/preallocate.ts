/**
 * Memory for images before it is needed. A page that nobody has touched yet has to be found and cleared, and on a
 * virtual machine often fetched from its host first: measured 177 ms for 300 MB of tmpfs, 1.5 s the very first time,
 * against 65 ms where it was allocated before. Done while the service still runs, it is no downtime.
 */
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exists, fileSystem, makeDirectory, readNames, removeFile, status } from "./at-once.js";
import { runCommand } from "./command.js";

/** Beside the images, in a directory of its own: what lies loose among them is shipped. */
const reserveIn = (images: string): string => join(images, "reserve");
const pagesImage = (index: number): string => `pages-${index + 1}.img`;

/**
 * Bytes per second that memory is got with at least, or it is given up: a virtual machine's host gives memory when it is
 * touched, not when it is allocated (350 MB/s were seen).
 */
const leastRate = { images: 0.5e9, reserve: 0.8e9 };

/** Bytes: less is got in the freeze more quickly than by three programs before it, while the service writes on. */
const worthwhile = 64 * 1024 * 1024;

/**
 * Makes the files that CRIU's page images will come into; it numbers them by process, parents first.
 * @param sizes bytes, one for each process. Only a guess: the files are cut to size later, or grow.
 */
export async function preallocateImages(directory: string, sizes: readonly number[]): Promise<void> {
  await makeDirectory(directory);
  for (const [index, size] of sizes.entries())
    await allocate(join(directory, pagesImage(index)), size, leastRate.images);
}

/** Bytes of the page images that CRIU wrote into a directory, in its order. */
export async function pagesSizes(directory: string): Promise<number[]> {
  const there = new Set(await readNames(directory));
  const sizes: number[] = [];
  for (let index = 0; there.has(pagesImage(index)); index++) {
    sizes.push((await status(join(directory, pagesImage(index)))).size);
  }
  return sizes;
}

/**
 * Memory that is taken now, for what takes none beforehand: CRIU's dump and its restore. Not taken where less than `spare`
 * bytes would be left for images. Never rejects.
 */
export async function reserveMemory(images: string, bytes: number, spare: number): Promise<void> {
  try {
    if (bytes < worthwhile || !(await isMemory(images))) return;
    const { bavail, bsize } = await fileSystem(images);
    if (bavail * bsize < bytes + spare) return;
    await makeDirectory(reserveIn(images));
    await allocate(join(reserveIn(images), "memory"), bytes, leastRate.reserve);
  } catch {
    // Nothing is lost but time.
  }
}

/**
 * Given back right before CRIU needs it: this machine hands it out again before any other, and its host has not taken it.
 * Never rejects, for CRIU may run already and has to be watched: what stays goes with the images.
 */
export async function giveBackReserve(images: string): Promise<void> {
  if (!(await exists(reserveIn(images)))) return;
  await rm(reserveIn(images), { recursive: true, force: true }).catch(() => undefined);
}

/** What was guessed wrongly would only hold memory. */
export async function removeUnused(directory: string, used: ReadonlySet<string>): Promise<void> {
  const unused = (await readNames(directory)).filter(
    (name) => /^pages-\d+\.img$/.test(name) && !used.has(name),
  );
  for (const name of unused) await removeFile(join(directory, name));
}

/** Where it fails nothing is lost but time: the room was looked at before, and writing will say so. */
async function allocate(path: string, bytes: number, rate: number): Promise<void> {
  if (bytes < worthwhile) return;
  const { code } = await runCommand(["fallocate", "--length", String(bytes), path]);
  if (code === 0 && (await isMemory(dirname(path)))) await touch(path, bytes, rate);
}

async function touch(path: string, bytes: number, rate: number): Promise<void> {
  const all = [`count=${bytes}`, "iflag=count_bytes", "conv=notrunc"];
  const dd = ["dd", "if=/dev/zero", `of=${path}`, "bs=1M", "status=none", ...all];
  await runCommand(["timeout", "--foreground", (bytes / rate).toFixed(2), ...dd]);
}

const tmpfs = 0x01021994;

/** Whether a directory lies in memory: on a tmpfs. */
export async function isMemory(directory: string): Promise<boolean> {
  return (await fileSystem(directory)).type === tmpfs;
}
