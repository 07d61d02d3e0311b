/**
 * Images are in the page cache, their own or a tmpfs: what is read or written there is only copied, and a way through the
 * thread pool costs more than the copy, for the bytes leave the processor's cache on it.
 */
import { readSync, writeSync } from "node:fs";

/** Fills `into` from `position` on, as far as the file goes; returns the bytes read. */
export function readFully(fd: number, into: Buffer, position: number): number {
  for (let done = 0; done < into.length;) {
    const length = readSync(fd, into, done, into.length - done, position + done);
    if (length === 0) return done;
    done += length;
  }
  return into.length;
}

/** Writes all of `bytes` at `position`. */
export function writeFully(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
