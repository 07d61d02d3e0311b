import { createWriteStream } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { exitCodes, FastmigError } from "../errors.js";
import { imageError } from "./errors.js";
import type { ImageReader } from "./reader.js";

/** As CRIU names its images: nothing else is written, whatever an image says. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/;

/** Writes all files of an image into a directory, which is made, or empty. Throws NOT_EMPTY (exit 2), IMAGE_DAMAGED. */
export async function extractImage(reader: ImageReader, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).length > 0)
    throw new FastmigError(`${directory} is not empty`, { code: "NOT_EMPTY", exit: exitCodes.usage });
  for (const file of reader.files) {
    if (!plainName.test(file.name))
      throw imageError(
        "IMAGE_DAMAGED",
        `${reader.image.url} holds a file that CRIU does not write: ${file.name}`,
      );
    const to = createWriteStream(join(directory, file.name), { flags: "wx", mode: 0o600 });
    await pipeline(reader.contentOf(file), to);
  }
}
