import type { CanaryResult } from "../../daemon/api.js";

/** What a dump or a restore costs at least, and more for each byte of memory. Milliseconds. */
export interface Cost {
  fixedMs: number;
  msPerByte: number;
}

/** Of a dump at the source and a restore at the destination. */
export interface Costs {
  dump: Cost;
  restore: Cost;
}

/** What the bigger trial process holds, bytes: enough to stand out from what a dump costs anyway, little enough for every node. */
export const trialMemory = 32 * 2 ** 20;

type Trial = Pick<CanaryResult, "dumpMs" | "restoreMs">;
type Trials = Record<"small" | "big", Trial>;

/** From a trial without memory of its own and one with `trialMemory`, at both ends. */
export function learnCosts(source: Trials, destination: Trials): Costs {
  return {
    dump: costOf(source.small.dumpMs, source.big.dumpMs),
    restore: costOf(destination.small.restoreMs, destination.big.restoreMs),
  };
}

/** Where the bigger one was as quick as the smaller, the difference is below what can be measured. */
function costOf(smallMs: number, bigMs: number): Cost {
  return { fixedMs: Math.min(smallMs, bigMs), msPerByte: Math.max(0, bigMs - smallMs) / trialMemory };
}
