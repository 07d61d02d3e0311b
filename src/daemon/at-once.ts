/**
 * Small files, directories and /proc, worked on at once behind a promise: the kernel has them in memory, and the way through
 * Node's thread pool takes up to ten times as long as the work (`/proc/self/status` on an emulated machine: 1.8 ms, at once
 * 0.2). What waits for a disk, a flush, or takes long, a whole tree, does not belong here.
 */
import * as fs from "node:fs";

function now<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

export const readText = (path: string): Promise<string> => now(() => fs.readFileSync(path, "utf8"));
export const readBytes = (path: string): Promise<Buffer> => now(() => fs.readFileSync(path));
export const readNames = (path: string): Promise<string[]> => now(() => fs.readdirSync(path));
export const readLink = (path: string): Promise<string> => now(() => fs.readlinkSync(path));
/** Of a file itself, not of what a link leads to. */
export const status = (path: string): Promise<fs.Stats> => now(() => fs.lstatSync(path));
/** Of the file system that a path lies on. */
export const fileSystem = (path: string): Promise<fs.StatsFs> => now(() => fs.statfsSync(path));
export const exists = (path: string): Promise<boolean> => now(() => fs.existsSync(path));

export const rename = (from: string, to: string): Promise<void> => now(() => fs.renameSync(from, to));
export const link = (from: string, to: string): Promise<void> => now(() => fs.linkSync(from, to));
export const chown = (path: string, uid: number, gid: number): Promise<void> =>
  now(() => fs.chownSync(path, uid, gid));

/** One file, where it is there. */
export const removeFile = (path: string): Promise<void> => now(() => fs.rmSync(path, { force: true }));

/** With those above it, 0700. */
export const makeDirectory = (path: string): Promise<void> =>
  now(() => void fs.mkdirSync(path, { recursive: true, mode: 0o700 }));

export const writeText = (path: string, text: string, mode: number): Promise<void> =>
  now(() => fs.writeFileSync(path, text, { mode }));

export const writeBytes = (path: string, bytes: Uint8Array, mode: number): Promise<void> =>
  now(() => fs.writeFileSync(path, bytes, { mode }));

/** Replaces a small file as a whole: a reader sees the old content or the new. Not flushed. */
export async function replaceText(path: string, text: string, mode: number): Promise<void> {
  await writeText(`${path}.tmp`, text, mode);
  await rename(`${path}.tmp`, path);
}

/** Opens a file or a directory, works on it and closes it. */
export async function withFile<T>(
  path: string,
  flags: fs.OpenMode,
  mode: number,
  work: (fd: number) => Promise<T>,
): Promise<T> {
  const fd = fs.openSync(path, flags, mode);
  try {
    return await work(fd);
  } finally {
    fs.closeSync(fd);
  }
}
