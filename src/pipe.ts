/** Pipes with names, between a program and whoever reads what it writes. */
import { execFile } from "node:child_process";
import { constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import { promisify } from "node:util";

/** A pipe with a name, in the place of whatever has it. */
export async function makePipe(path: string, mode: string): Promise<void> {
  await rm(path, { force: true });
  await promisify(execFile)("mkfifo", [`--mode=${mode}`, "--", path]);
}

/** Opens a pipe for reading, from when on whoever opens it for writing waits no more. Its end comes when nobody writes any more. */
export function openPipe(path: string): number {
  // A writer may come later: without O_NONBLOCK this thread would wait for it.
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/**
 * A pipe's bytes up to its end, in parts of `size`; the last may be shorter, and is empty where it is the only one. All are in one
 * buffer: a part is valid until the next is asked for.
 */
export async function* partsOf(fd: number, size: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  let next = Promise.withResolvers<"full" | "end">();
  const onread = {
    buffer: () => buffer.subarray(filled % size),
    callback: (count: number) => {
      filled += count;
      if (filled === size) next.resolve("full");
      return filled < size;
    },
  };
  const socket = new Socket({ fd, readable: true, writable: false, onread, signal });
  socket.on("end", () => next.resolve("end")).on("error", (error) => next.reject(error));
  socket.resume();
  try {
    for (let number = 0; ; number += 1) {
      const reached = await next.promise;
      if (filled > 0 || number === 0) yield buffer.subarray(0, filled);
      if (reached === "end") return;
      filled = 0;
      next = Promise.withResolvers();
      socket.resume();
    }
  } finally {
    socket.destroy();
  }
}
