import type { Segment } from "../api.js";

/** A part of a file that is to be shipped. */
export type Piece = Omit<Segment, "digest">;

/** Pieces in the order they came; whoever asks while there is none waits until there is, or until the end was said. */
export class PieceQueue {
  #pieces: Piece[] = [];
  #ended = false;
  #change = Promise.withResolvers<void>();

  /** Of those that nobody took yet. */
  get length(): number {
    return this.#pieces.length;
  }

  push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  /** Nothing comes any more, but what a lost peer forgets. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Resolves to undefined after the end. Rejects with the signal's reason. */
  async next(signal: AbortSignal): Promise<Piece | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const piece = this.#pieces.shift();
      if (piece !== undefined || this.#ended) return piece;
      await this.#changed(signal);
    }
  }

  /** Every waiting piece that `wanted` says yes to. */
  take(wanted: (piece: Piece) => boolean): Piece[] {
    const taken = this.#pieces.filter(wanted);
    this.#pieces = this.#pieces.filter((piece) => !taken.includes(piece));
    return taken;
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  #changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    this.#change.promise.then(resolve, reject);
    return promise.finally(() => {
      signal.removeEventListener("abort", stop);
    });
  }
}
