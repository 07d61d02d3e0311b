import { closeSync, constants, lstatSync, openSync, readdirSync } from "node:fs";
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

/** The growing files of one directory of the root, with the bytes that stand already; none where it is not there yet. */
export function growingFiles(root: string, directory: string): FoundFile[] {
  // Nothing grows beside the directories.
  if (directory === "") return [];
  return names(`${root}/${directory}`)
    .filter((name) => appendedOnly.test(name))
    .map((name) => sized(root, `${directory}/${name}`));
}

/** CRIU's link to the images that a directory's build on; the destination makes its own. */
export const parentLink = "parent";

/**
 * Every file of some directories of the root (`""`: its own), once nothing is written there any more. Throws on what is
 * no file, and on odd names.
 */
export function filesIn(root: string, directories: readonly string[]): FoundFile[] {
  return directories.flatMap((directory) => (directory === "" ? loose(root) : listed(root, directory)));
}

function listed(root: string, directory: string): FoundFile[] {
  const entries = readdirSync(`${root}/${directory}`, { withFileTypes: true });
  return entries
    .filter((entry) => !(entry.name === parentLink && entry.isSymbolicLink()))
    .map(({ name }) => found(root, `${directory}/${name}`));
}

function loose(root: string): FoundFile[] {
  const entries = readdirSync(root, { withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => found(root, name));
}

/** Whether a file's name, without its directory, says that it tells which pages a process has. */
export function isPageMap(name: string): boolean {
  return name.startsWith("pagemap-");
}

/** Whether an image file is a round's: those are dropped together, the final dump's are not. */
export function isOfRound(file: string): boolean {
  return /^[0-9]/.test(file) && file.includes("/");
}

/** Fills `into` from `offset` on. Throws where the file ends before. */
export function readSegment(root: string, file: string, offset: number, into: Buffer): void {
  const fd = openSync(`${root}/${file}`, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const length = readFully(fd, into, offset);
    if (length < into.length) throw new Error(`${file} ends at ${offset + length}: it has shrunk`);
  } finally {
    closeSync(fd);
  }
}

function found(root: string, file: string): FoundFile {
  if (!ImageFile.safeParse(file).success) throw new Error(`${file} is no name of an image`);
  return sized(root, file);
}

function sized(root: string, file: string): FoundFile {
  const status = lstatSync(`${root}/${file}`);
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
