/** Milliseconds without a verified byte after which a round's line counts as cut. The service runs: nothing is lost but time. */
const longestSilence = 15_000;

/** Gives a piece of work up that makes no progress. */
export class Silence {
  readonly #silent = new AbortController();
  readonly #limit: number;
  #timer: NodeJS.Timeout | undefined;
  /** Aborts with the outer signal, or after silence. */
  readonly signal: AbortSignal;

  constructor(outer: AbortSignal, limit = longestSilence) {
    this.#limit = limit;
    this.signal = AbortSignal.any([outer, this.#silent.signal]);
  }

  /** From now on somebody has to call `broken` now and then. */
  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#timer = setTimeout(() => this.#giveUp(), this.#limit);
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  broken(): void {
    this.#timer?.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #giveUp(): void {
    const seconds = String(this.#limit / 1000);
    this.#silent.abort(new Error(`the destination has taken nothing for ${seconds} s`));
  }
}
