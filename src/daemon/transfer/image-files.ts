import { closeSync, constants, lstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ImageFile } from "../api.js";
import { readFully } from "./file-bytes.js";

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
    const length = await readFully(fd, into, offset);
    if (length < into.length) throw new Error(`${file} ends at ${offset + length}: it has shrunk`);
  } finally {
    closeSync(fd);
  }
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
