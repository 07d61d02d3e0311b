export interface WaitOptions {
  /** Milliseconds from now until the wait gives up. */
  timeout: number;
  /** Milliseconds between two looks. */
  interval?: number;
  signal?: AbortSignal;
}

/** Resolves after `ms` milliseconds; rejects at once when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Resolves when `work` has, or after `ms` milliseconds: then its signal aborts. Rejects where `work` does before. */
export async function orAfter(ms: number, work: (over: AbortSignal) => Promise<unknown>): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work(over.signal), pause(ms, over.signal)]);
  } finally {
    over.abort();
  }
}

export class WaitTimeout extends Error {
  constructor(what: string, timeout: number, last: unknown) {
    super(`${what}: not within ${timeout} ms; last answer: ${describe(last)}`);
    this.name = "WaitTimeout";
  }
}

/**
 * Looks until `look` answers something other than undefined, and returns it.
 * A look that throws counts as "not yet"; what it threw is the last answer of the timeout's message.
 */
export async function waitFor<T>(
  what: string,
  look: () => Promise<T | undefined>,
  options: WaitOptions,
): Promise<T> {
  const end = performance.now() + options.timeout;
  let last: unknown;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const answer = await look();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (thrown) {
      last = thrown;
    }
    if (performance.now() >= end) throw new WaitTimeout(what, options.timeout, last);
    await pause(options.interval ?? 50, options.signal);
  }
}

function describe(last: unknown): string {
  if (last === undefined) return "not yet";
  return Error.isError(last) ? last.message : JSON.stringify(last);
}
