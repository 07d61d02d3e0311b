import { pause } from "../../wait.js";

/**
 * Does something again and again, from one beginning to the next `every` milliseconds, or as long as it takes. Rejects where the first
 * time fails, and with the signal's reason; a later failure is told, and the next time is awaited.
 */
export async function repeat(
  every: number,
  work: () => Promise<unknown>,
  failed: (thrown: unknown) => void,
  signal: AbortSignal,
): Promise<never> {
  for (let first = true; ; first = false) {
    const begun = performance.now();
    try {
      await work();
    } catch (thrown) {
      signal.throwIfAborted();
      if (first) throw thrown;
      failed(thrown);
    }
    await pause(Math.max(0, every - (performance.now() - begun)), signal);
  }
}
