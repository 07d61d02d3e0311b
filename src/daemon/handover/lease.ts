import { setLease } from "../verdict.js";

/** Milliseconds. */
export interface LeaseLimits {
  /** How long the service may stay frozen without verified progress. */
  lease: number;
  /** From the freeze on, in all. */
  deadline: number;
}

/** How long the source's hook waits before it decides `aborted` by itself. */
export class Lease {
  readonly #directory: string;
  readonly #limits: LeaseLimits;
  readonly #began = performance.now();
  #renewed = -Infinity;

  constructor(directory: string, limits: LeaseLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** On verified progress: written at most four times a lease, and never past the deadline. */
  async renew(): Promise<void> {
    const { lease, deadline } = this.#limits;
    const passed = performance.now() - this.#began;
    if (passed - this.#renewed < lease / 4) return;
    this.#renewed = passed;
    await setLease(this.#directory, Math.min(lease, deadline - passed));
  }
}
