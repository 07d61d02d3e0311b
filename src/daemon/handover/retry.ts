import { pause } from "../../wait.js";
import { TransferError } from "../transfer/errors.js";

/** Asks again while the answer is lost on the way, a little later each time; until the signal says that it is enough. */
export async function retryLost<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let wait = 50; ; wait = Math.min(wait * 2, 1000)) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof TransferError) || thrown.fault.kind !== "lost") throw thrown;
    }
    await pause(wait, signal);
  }
}
