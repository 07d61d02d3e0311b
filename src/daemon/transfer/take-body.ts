import type { Readable } from "node:stream";
import { HttpError } from "../refusals.js";
import { release } from "./release.js";

/**
 * Reads all that was sent into `into`; resolves to its length. Rejects where it is longer, ends early, where no byte
 * comes for `silence` milliseconds, or the signal aborts.
 */
export type Fill = (into: Buffer, silence: number, signal: AbortSignal) => Promise<number>;

/** An HTTP body's `Fill`. */
export function takeBody(
  body: Readable,
  into: Buffer,
  silence: number,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let length = 0;
    const watch = setTimeout(() => fail(new Error(`no byte for ${silence} ms`)), silence);
    const fail = (error: Error): void => {
      settle();
      reject(error);
    };
    const take = (chunk: Buffer<ArrayBuffer>): void => {
      if (length + chunk.length > into.length) return fail(tooLong(into.length));
      chunk.copy(into, length);
      length += chunk.length;
      release(chunk);
      watch.refresh();
    };
    const end = (): void => {
      settle();
      resolve(length);
    };
    const stop = (): void => fail(signal.reason as Error);
    const close = (): void => fail(new Error("the connection broke within the body"));
    const settle = (): void => {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
      body.off("data", take).off("end", end).off("error", fail).off("close", close);
      body.on("error", () => undefined);
    };
    signal.addEventListener("abort", stop, { once: true });
    body.on("data", take).on("end", end).on("error", fail).on("close", close);
  });
}

function tooLong(most: number): HttpError {
  return new HttpError(
    413,
    "SEGMENT_TOO_LONG",
    `the body is longer than the ${most} bytes it was said to have`,
  );
}
