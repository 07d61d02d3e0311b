/** Files that survive a crash: written beside, flushed, put in place, and the directory flushed. */
import { constants } from "node:fs";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function writeFlushed(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
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

/** Creates a file that did not exist, whole or not at all. False: somebody else had created it, and theirs stands. */
export async function createOnce(path: string, content: string, mode = 0o600): Promise<boolean> {
  const temporary = beside(path);
  await writeFlushed(temporary, content, mode);
  try {
    await link(temporary, path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw thrown;
  } finally {
    await rm(temporary, { force: true });
    await flushDirectory(dirname(path));
  }
}

/** Appends one line and flushes it before it resolves. */
export async function appendDurably(path: string, line: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    await file.appendFile(`${line}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await flushDirectory(dirname(path));
}

/** The content, or undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}
