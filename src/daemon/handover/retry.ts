import { pause } from "../../wait.js";
import { TransferError } from "../transfer/errors.js";

/**
 * Asks again while the answer is lost on the way, or the peer has a trouble of its own (5xx), a little later each
 * time; until the signal says that it is enough. What is asked must be the same thing however often it arrives.
 * @param limit milliseconds after which one question counts as lost: a cut link says nothing.
 */
export async function retryLost<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  limit: number,
): Promise<T> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    signal.throwIfAborted();
    try {
      return await ask(AbortSignal.any([signal, AbortSignal.timeout(limit)]));
    } catch (thrown) {
      signal.throwIfAborted();
      if (!isPassing(thrown)) throw thrown;
    }
    await pause(wait, signal);
  }
}

function isPassing(thrown: unknown): boolean {
  if (thrown instanceof TransferError) return thrown.fault.kind === "lost" || thrown.fault.status >= 500;
  return thrown instanceof DOMException && thrown.name === "TimeoutError";
}
