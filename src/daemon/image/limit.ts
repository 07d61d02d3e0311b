import { formatDuration } from "../../units.js";
import type { LeaseLimits } from "../handover/lease.js";

/** How long a frozen service waits for its images to be taken. */
export class ProgressLimit {
  readonly #over = Promise.withResolvers<never>();
  readonly #lease: number;
  readonly #deadline: NodeJS.Timeout;
  #silence: NodeJS.Timeout | undefined;

  constructor({ lease, deadline }: LeaseLimits) {
    this.#over.promise.catch(() => undefined);
    this.#lease = lease;
    const late = `the image was not whole within ${formatDuration(deadline)}`;
    this.#deadline = setTimeout(() => this.#over.reject(new Error(late)), deadline);
    this.progress();
  }

  /** Rejects when it is over; never resolves. */
  get over(): Promise<never> {
    return this.#over.promise;
  }

  progress(): void {
    clearTimeout(this.#silence);
    const silent = `nothing went into the image for ${formatDuration(this.#lease)}`;
    this.#silence = setTimeout(() => this.#over.reject(new Error(silent)), this.#lease);
  }

  /** Everything was given: from now on only the deadline counts, a store does not say how far it is with the rest. */
  given(): void {
    clearTimeout(this.#silence);
  }

  end(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#silence);
  }
}
