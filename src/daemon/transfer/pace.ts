import { pause } from "../../wait.js";

/** Milliseconds: so soon a new rate is heeded by whoever waits for the old one. */
const longestWait = 100;

/** Holds senders back to a rate. What was sent is a debt, paid off at that rate; who has none may send. */
export class Pace {
  #rate: number | null;
  #debt = 0;
  #looked = performance.now();
  #turn: Promise<void> = Promise.resolve();

  /** @param rate bytes per second; null: as fast as the line is. */
  constructor(rate: number | null) {
    this.#rate = rate;
  }

  /** From now on. */
  set(rate: number | null): void {
    this.#settle();
    this.#rate = rate;
  }

  /**
   * Resolves when `bytes` may be sent, in the order of asking. Rejects with the signal's reason.
   * @param waiting called again and again meanwhile: whoever watches for progress must not count this as silence.
   */
  take(bytes: number, signal: AbortSignal, waiting: () => void = () => undefined): Promise<void> {
    const taken = this.#turn.then(() => this.#await(bytes, signal, waiting));
    this.#turn = taken.catch(() => undefined);
    return taken;
  }

  async #await(bytes: number, signal: AbortSignal, waiting: () => void): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      this.#settle();
      if (this.#rate === null) return;
      if (this.#debt <= 0) break;
      waiting();
      await pause(Math.min((this.#debt / this.#rate) * 1000, longestWait), signal);
    }
    this.#debt += bytes;
  }

  #settle(): void {
    const now = performance.now();
    const paid = this.#rate === null ? Infinity : ((now - this.#looked) / 1000) * this.#rate;
    this.#debt = Math.max(0, this.#debt - paid);
    this.#looked = now;
  }
}
