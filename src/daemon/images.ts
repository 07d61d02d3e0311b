import { rm, statfs, stat, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { DaemonPaths } from "./paths.js";

/** Bytes that can still be written below `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

const onTmpfs = (paths: DaemonPaths, id: string): string => join(paths.images, id);
const onDisk = (paths: DaemonPaths, id: string): string => join(paths.state, "images", id);

/** Where a migration's images lie already, or undefined. */
export async function findImages(paths: DaemonPaths, id: string): Promise<string | undefined> {
  for (const path of [onTmpfs(paths, id), onDisk(paths, id)]) {
    if (await stat(path).catch(() => undefined)) return path;
  }
  return undefined;
}

export interface Room {
  /** Bytes of memory that this container may still take, tmpfs included. */
  memory: number;
  /** Bytes of memory kept back for what is not images: the tree itself at the destination. */
  reserve: number;
}

/**
 * Makes the directory for `bytes` of images: in memory where they fit beside everything else, else on the disk.
 * tmpfs is charged to the container's cgroup: a directory that does not fit there would kill the service.
 */
export async function makeImages(paths: DaemonPaths, id: string, bytes: number, room: Room): Promise<string> {
  const known = await findImages(paths, id);
  if (known !== undefined) return known;
  const inMemory = (await freeBytes(paths.images)) >= bytes && room.memory - room.reserve >= bytes;
  if (!inMemory && (await freeBytes(paths.state)) < bytes)
    throw new Error(`no room for ${bytes} bytes of images: neither in memory nor below ${paths.state}`);
  const path = inMemory ? onTmpfs(paths, id) : onDisk(paths, id);
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}

export async function removeImages(paths: DaemonPaths, id: string): Promise<void> {
  await rm(onTmpfs(paths, id), { recursive: true, force: true });
  await rm(onDisk(paths, id), { recursive: true, force: true });
}
