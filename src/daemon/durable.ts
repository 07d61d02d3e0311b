/** Files that survive a crash: written beside, flushed, put in place, and the directory flushed. */
import {
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  readFileSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { link, readText, removeFile, rename, withFile } from "./at-once.js";

const flush = promisify(fsync);
const flushContent = promisify(fdatasync);

function flushDirectory(path: string): Promise<void> {
  return withFile(path, constants.O_RDONLY | constants.O_DIRECTORY, 0, flush);
}

function writeFlushed(path: string, content: string, mode: number): Promise<void> {
  return withFile(path, "w", mode, async (fd) => {
    writeFileSync(fd, content);
    await flush(fd);
  });
}

let temporaries = 0;
function beside(path: string): string {
  temporaries += 1;
  return `${path}.${process.pid}-${temporaries}.tmp`;
}

/** Replaces a file as a whole: a reader sees the old content or the new, also after a crash. */
export async function replaceDurably(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = beside(path);
  await writeFlushed(temporary, content, mode);
  await rename(temporary, path);
  await flushDirectory(dirname(path));
}

/**
 * Creates a file that did not exist, whole or not at all. False: somebody else had created it, and theirs stands.
 *
 * @param ready a file beside it that may have the same content and mode, flushed: it is used up where it is there.
 */
export async function createOnce(
  path: string,
  content: string,
  mode = 0o600,
  ready?: string,
): Promise<boolean> {
  const temporary = beside(path);
  if (ready === undefined || !(await take(ready, temporary))) await writeFlushed(temporary, content, mode);
  try {
    await link(temporary, path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw thrown;
  } finally {
    await removeFile(temporary);
    await flushDirectory(dirname(path));
  }
}

/** Renames a file where it is there. */
async function take(path: string, to: string): Promise<boolean> {
  try {
    await rename(path, to);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw thrown;
  }
}

/** Appends one line and flushes it before it resolves. A line before it that a crash cut short goes: it was promised to nobody. */
export function appendDurably(path: string, line: string): Promise<void> {
  return withFile(path, "a+", 0o600, async (fd) => {
    cutTorn(fd);
    writeFileSync(fd, `${line}\n`);
    await flushContent(fd);
  });
}

/** What is appended to half a line would be lost with it. */
function cutTorn(fd: number): void {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  if (size > 0) readSync(fd, last, 0, 1, size - 1);
  if (size > 0 && last.toString() !== "\n") ftruncateSync(fd, readFileSync(fd).lastIndexOf("\n") + 1);
}

export async function removeDurably(path: string): Promise<void> {
  await removeFile(path);
  await flushDirectory(dirname(path));
}

/** The content, or undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
