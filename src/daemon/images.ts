import { rm } from "node:fs/promises";
import { join } from "node:path";
import { sumOf } from "../sum.js";
import { formatSize } from "../units.js";
import { exists, fileSystem, makeDirectory, readNames, status } from "./at-once.js";
import type { DaemonPaths } from "./paths.js";
import { giveBackReserve } from "./preallocate.js";

/** Bytes that can still be written below `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await fileSystem(path);
  return bavail * bsize;
}

const onTmpfs = (paths: DaemonPaths, id: string): string => join(paths.images, id);
const onDisk = (paths: DaemonPaths, id: string): string => join(paths.state, "images", id);

/** Where a migration's images lie already, or undefined. */
export async function findImages(paths: DaemonPaths, id: string): Promise<string | undefined> {
  for (const path of [onTmpfs(paths, id), onDisk(paths, id)]) {
    if (await exists(path)) return path;
  }
  return undefined;
}

export interface Room {
  /** Bytes of memory that this container may still take, tmpfs included. */
  memory: number;
  /** Bytes of memory kept back for what is not images: the tree itself at the destination. */
  reserve: number;
}

export class NoRoom extends Error {}

export interface Wanted {
  /** Bytes of images that are still to come. */
  bytes: number;
  /** The directory that they come into: what is there already counts as come. */
  into: string;
}

/**
 * Makes the directory for a migration's images: in memory where they fit beside everything else, else on the disk. Where it
 * is there already, the rest has to fit there. Throws NoRoom.
 * tmpfs is charged to the container's cgroup: a directory that does not fit there would kill the service.
 */
export async function makeImages(
  paths: DaemonPaths,
  id: string,
  { bytes, into }: Wanted,
  room: Room,
): Promise<string> {
  const known = await findImages(paths, id);
  // Asked again, it is taken again: until then it would count as used by somebody else.
  if (known !== undefined) await giveBackReserve(known);
  const missing = bytes - (known === undefined ? 0 : await allocatedIn(join(known, into)));
  const inMemory = Math.min(await freeBytes(paths.images), room.memory - room.reserve);
  const onTheDisk = await freeBytes(paths.state);
  if (known !== undefined) {
    const free = known === onTmpfs(paths, id) ? inMemory : onTheDisk;
    if (free < missing) throw new NoRoom(noRoomIn(missing, known, free));
    return known;
  }
  if (inMemory < bytes && onTheDisk < bytes) {
    throw new NoRoom(
      `${noRoomIn(bytes, paths.images, inMemory)}, and below ${paths.state} are ${formatSize(onTheDisk)}`,
    );
  }
  const path = inMemory >= bytes ? onTmpfs(paths, id) : onDisk(paths, id);
  await makeDirectory(path);
  return path;
}

function noRoomIn(bytes: number, path: string, free: number): string {
  return `no room for ${formatSize(bytes)} of images: ${path} may take ${formatSize(Math.max(0, free))}`;
}

/** Bytes that a directory's files hold; 0 where it is not there. */
async function allocatedIn(directory: string): Promise<number> {
  const names = await readNames(directory).catch(() => []);
  const sizes = await Promise.all(
    names.map(async (name) => (await status(join(directory, name))).blocks * 512),
  );
  return sumOf(sizes);
}

export async function removeImages(paths: DaemonPaths, id: string): Promise<void> {
  await rm(onTmpfs(paths, id), { recursive: true, force: true });
  await rm(onDisk(paths, id), { recursive: true, force: true });
}
