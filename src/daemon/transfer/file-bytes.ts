import { read, readSync, write, writeSync } from "node:fs";

/** A way through the thread pool costs more than reading or writing so few bytes of the page cache. */
const few = 64 * 1024;

/** Fills `into` from `position` on, as far as the file goes; resolves to the bytes read. */
export async function readFully(fd: number, into: Buffer, position: number): Promise<number> {
  for (let done = 0; done < into.length;) {
    const length = await readSome(fd, into.subarray(done), position + done);
    if (length === 0) return done;
    done += length;
  }
  return into.length;
}

/** Writes all of `bytes` at `position`. */
export async function writeFully(fd: number, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += await writeSome(fd, bytes.subarray(done), position + done);
  }
}

function readSome(fd: number, into: Buffer, position: number): Promise<number> | number {
  if (into.length <= few) return readSync(fd, into, 0, into.length, position);
  return new Promise((resolve, reject) => {
    read(fd, into, 0, into.length, position, settle(resolve, reject));
  });
}

function writeSome(fd: number, bytes: Buffer, position: number): Promise<number> | number {
  if (bytes.length <= few) return writeSync(fd, bytes, 0, bytes.length, position);
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, settle(resolve, reject));
  });
}

function settle(resolve: (length: number) => void, reject: (error: Error) => void) {
  return (error: Error | null, length: number): void => {
    if (error === null) resolve(length);
    else reject(error);
  };
}
