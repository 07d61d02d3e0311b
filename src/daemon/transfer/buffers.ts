/**
 * A bounded set of equal buffers, made when first needed and used again and again:
 * a fresh buffer per segment would wait for the garbage collector and double the daemon's memory.
 */
export class Buffers {
  readonly #size: number;
  readonly #most: number;
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #made = 0;

  /** @param size bytes of each; @param most how many there may be. */
  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
  }

  /** Hands `work` a buffer of its own until its promise settles; waits for one where all are in use. */
  async use<T>(signal: AbortSignal, work: (buffer: Buffer) => Promise<T>): Promise<T> {
    const buffer = await this.#take(signal);
    try {
      return await work(buffer);
    } finally {
      this.#giveBack(buffer);
    }
  }

  async #take(signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made === this.#most) return this.#queue(signal);
    this.#made++;
    return Buffer.allocUnsafeSlow(this.#size);
  }

  #queue(signal: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const serve = (buffer: Buffer): void => {
        signal.removeEventListener("abort", leave);
        resolve(buffer);
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(serve), 1);
        reject(signal.reason as Error);
      };
      this.#waiting.push(serve);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #giveBack(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}
