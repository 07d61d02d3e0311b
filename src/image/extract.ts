/** Files of an image, written into a directory. */
import { createWriteStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { exitCodes, FastmigError } from "../errors.js";
import { imageError } from "./errors.js";
import { type FastFreezeImage, type FastFreezeOptions, readPieces } from "./fastfreeze/image.js";
import type { ImageReader } from "./reader.js";

export interface Extracted {
  files: number;
  bytes: number;
}

/** Writes all files of an image into a directory, which is made, or empty. Throws NOT_EMPTY (exit 2), IMAGE_DAMAGED. */
export async function extractImage(reader: ImageReader, directory: string): Promise<Extracted> {
  const { url, manifest } = reader.image;
  await makeEmpty(directory);
  for (const file of reader.files) {
    const to = createWriteStream(placeOf(file.name, directory, url), { flags: "wx", mode: 0o600 });
    await pipeline(reader.contentOf(file), to);
  }
  return { files: manifest.files, bytes: manifest.bytes };
}

/** The same of an image that FastFreeze made. Throws NOT_EMPTY, and what `readPieces` throws. */
export async function extractFastFreeze(
  image: FastFreezeImage,
  options: FastFreezeOptions,
  directory: string,
): Promise<Extracted> {
  await makeEmpty(directory);
  // They come in turns.
  const files = new Map<string, FileHandle>();
  const fileOf = async (name: string): Promise<FileHandle> => {
    const file = files.get(name) ?? (await open(placeOf(name, directory, image.store.url), "wx", 0o600));
    files.set(name, file);
    return file;
  };
  let current: FileHandle | undefined;
  let bytes = 0;
  try {
    for await (const piece of readPieces(image, options)) {
      if (piece.kind === "file") current = await fileOf(piece.name);
      else if (piece.kind === "data") {
        await current?.appendFile(piece.bytes);
        bytes += piece.bytes.length;
      }
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
  return { files: files.size, bytes };
}

async function makeEmpty(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).length > 0)
    throw new FastmigError(`${directory} is not empty`, { code: "NOT_EMPTY", exit: exitCodes.usage });
}

/** As CRIU names its images: nothing else is written, whatever an image says. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

function placeOf(name: string, directory: string, url: string): string {
  if (plainName.test(name)) return join(directory, name);
  throw imageError("IMAGE_DAMAGED", `${url} holds a file that CRIU does not write: ${name}`);
}
