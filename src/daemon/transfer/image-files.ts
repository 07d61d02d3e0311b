import { closeSync, constants, lstatSync, openSync, read, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { ImageFile } from "../api.js";

export interface FoundFile {
  file: string;
  size: number;
}

/**
 * What may be shipped while it is written: CRIU opens a pages image with O_TRUNC once and only ever appends
 * (`write_pages_loc` in page-xfer.c splices at the end), and the kernel raises a file's size after the copy.
 */
const appendedOnly = /^pages-[0-9]+\.img$/;

/** The growing files of one directory of images, with the bytes that stand already; none where it is not there yet. */
export function growingFiles(root: string, directory: string): FoundFile[] {
  return names(join(root, directory))
    .filter((name) => appendedOnly.test(name))
    .map((name) => found(root, `${directory}/${name}`));
}

/** Every file below `root`, once nothing is written any more. Throws on what is neither file nor directory, and on odd names. */
export function allFiles(root: string): FoundFile[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(root, entry.name)).map((name) => found(root, `${entry.name}/${name}`))
      : [found(root, entry.name)],
  );
}

/** Fills `into` from `offset` on. Throws where the file ends before. */
export async function readSegment(root: string, file: string, offset: number, into: Buffer): Promise<void> {
  const fd = openSync(join(root, file), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let done = 0; done < into.length;) {
      const length = await readSome(fd, into.subarray(done), offset + done);
      if (length === 0) throw new Error(`${file} ends at ${offset + done}: it has shrunk`);
      done += length;
    }
  } finally {
    closeSync(fd);
  }
}

/** A way through the thread pool costs more than a small read. */
const smallRead = 64 * 1024;

function readSome(fd: number, into: Buffer, position: number): Promise<number> | number {
  if (into.length <= smallRead) return readSync(fd, into, 0, into.length, position);
  return new Promise((resolve, reject) => {
    read(fd, into, 0, into.length, position, (error, length) => {
      if (error) reject(error);
      else resolve(length);
    });
  });
}

function found(root: string, file: string): FoundFile {
  if (!ImageFile.safeParse(file).success) throw new Error(`${file} is no name of an image`);
  const status = lstatSync(join(root, file));
  if (!status.isFile()) throw new Error(`${file} among the images is no file`);
  return { file, size: status.size };
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}
