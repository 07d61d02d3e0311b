import type { Socket } from "node:net";
import { release } from "../release.js";

type Chunk = Buffer<ArrayBuffer>;

export interface Patience {
  /** Milliseconds without a byte after which the line counts as lost; none: it may be silent for ever. */
  silence?: number;
  signal?: AbortSignal;
}

interface Reading {
  left: number;
  sink: (part: Chunk) => void;
  end: (failure?: Error) => void;
}

/** What comes from a socket, in the lengths that are asked for; in between nothing is taken from it. */
export class Intake {
  readonly #socket: Socket;
  #rest: Chunk = Buffer.alloc(0);
  #reading: Reading | undefined;
  #broken: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket
      .on("data", (chunk: Chunk) => this.#take(chunk))
      .on("error", (error) => this.#break(error))
      .on("close", () => this.#break(new Error("the connection broke")));
    socket.pause();
  }

  /**
   * Hands the next `length` bytes to `sink` as they come; a part is gone once `sink` has returned. Rejects where the
   * connection breaks, falls silent or the signal aborts: it is of no use after that, and destroyed.
   */
  read(length: number, sink: (part: Chunk) => void, { silence, signal }: Patience = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = silence && setTimeout(() => fail(new Error(`no byte for ${silence} ms`)), silence);
      const stop = (): void => fail(signal?.reason as Error);
      const settle = (): void => {
        this.#reading = undefined;
        if (watch) clearTimeout(watch);
        signal?.removeEventListener("abort", stop);
      };
      const fail = (reason: Error): void => {
        settle();
        this.#socket.destroy();
        reject(reason);
      };
      const seen = (part: Chunk): void => {
        if (watch) watch.refresh();
        sink(part);
      };
      if (signal?.aborted || this.#broken) return fail((signal?.reason ?? this.#broken) as Error);
      signal?.addEventListener("abort", stop, { once: true });
      const end = (failure?: Error): void => (failure ? fail(failure) : (settle(), resolve()));
      this.#reading = { left: length, sink: seen, end };
      this.#go();
    });
  }

  async exactly(length: number, patience?: Patience): Promise<Buffer> {
    const whole = Buffer.alloc(length);
    let at = 0;
    await this.read(length, (part) => (at += part.copy(whole, at)), patience);
    return whole;
  }

  #go(): void {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#take(rest);
    if (this.#reading !== undefined) this.#socket.resume();
  }

  #take(chunk: Chunk): void {
    const reading = this.#reading;
    const part = chunk.subarray(0, reading?.left ?? 0);
    if (chunk.length > part.length) this.#rest = chunk.subarray(part.length);
    if (reading === undefined) return;
    reading.left -= part.length;
    try {
      reading.sink(part);
    } catch (thrown) {
      return reading.end(thrown as Error);
    }
    if (part.length === chunk.length) release(chunk);
    if (reading.left > 0) return;
    this.#socket.pause();
    reading.end();
  }

  #break(reason: Error): void {
    this.#broken ??= reason;
    this.#reading?.end(this.#broken);
  }
}
