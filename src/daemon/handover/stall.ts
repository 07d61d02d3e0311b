import { pause } from "../../wait.js";
import type { Processes, Tracked } from "../processes.js";
import { isDead, processorTicks } from "../procfs.js";

/** Milliseconds; longer than CRIU itself waits for a task to stop (`seizeTimeout`). */
const longestStall = 15_000;
/** Times that it is looked at meanwhile; each has to find it idle. */
const looks = 15;

/**
 * A CRIU that takes no processor time any more while it dumps: it was stopped, or waits for what never comes. It holds the tree,
 * which nobody else would ever let go, so it is killed.
 */
export class StallWatch {
  readonly #over = new AbortController();
  readonly #limit: number;
  #stalled = false;

  constructor(criu: Tracked, processes: Processes, limit = longestStall) {
    this.#limit = limit;
    void this.#look(criu, processes).catch(() => undefined);
  }

  /** What it was killed for; null: it was not. */
  get why(): string | null {
    return this.#stalled ? `did nothing for ${this.#limit / 1000} s and was ended` : null;
  }

  end(): void {
    this.#over.abort();
  }

  async #look(criu: Tracked, processes: Processes): Promise<void> {
    // Counted, not timed: a container that was paused stood still as a whole.
    for (let [ticks, idle] = [-1, 0]; idle < looks;) {
      await pause(this.#limit / looks, this.#over.signal);
      const now = await processorTicks(criu.pid);
      idle = now === ticks ? idle + 1 : 0;
      ticks = now;
    }
    if (await isDead(criu)) return;
    this.#stalled = true;
    await processes.kill(criu.pid, 9);
  }
}
