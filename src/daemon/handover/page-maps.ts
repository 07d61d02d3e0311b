import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { joinRuns } from "../../criu/pagemap.js";
import { writeFully } from "../transfer/file-bytes.js";
import { isPageMap } from "../transfer/image-files.js";

/** In a round's directory, once CRIU has ended and before its lists of pages are shipped. They stay their owner's. */
export function joinPageRuns(directory: string): void {
  for (const name of readdirSync(directory).filter(isPageMap)) {
    const path = join(directory, name);
    const image = readFileSync(path);
    const joined = joinRuns(image);
    if (joined.length < image.length) overwrite(path, joined);
  }
}

/** What fails halfway fails the round. */
function overwrite(path: string, bytes: Buffer): void {
  const fd = openSync(path, "r+");
  try {
    writeFully(fd, bytes, 0);
    ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}
