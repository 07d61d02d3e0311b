import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pause } from "../../wait.js";

/** How often a transfer may break off; each time but the last it is taken up where it did. */
const attempts = 5;

/**
 * Copies an object into a new file, of mode 0600; resolves to its path.
 * @param from its content from a byte on.
 */
export async function download(
  path: string,
  from: (at: number) => Promise<Readable>,
  signal: AbortSignal,
): Promise<string> {
  await rm(path, { force: true });
  for (let attempt = 1, at = 0; ; attempt += 1) {
    const content = await from(at);
    const file = createWriteStream(path, { flags: "a", mode: 0o600 });
    try {
      await pipeline(content, file, { signal });
      return path;
    } catch (thrown) {
      signal.throwIfAborted();
      at += file.bytesWritten;
      // Nothing came at all: then it is not the way that broke.
      if (attempt === attempts || at === 0) throw thrown;
      await pause(200 * attempt, signal);
    }
  }
}
