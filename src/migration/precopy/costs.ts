import type { CanaryResult } from "../../daemon/api.js";

/** What something costs at least, and more for each byte of memory. Milliseconds. */
export interface Cost {
  fixedMs: number;
  msPerByte: number;
}

/** A restore costs something for each run of pages too: for each byte of the images that list them. */
export interface RestoreCost extends Cost {
  msPerMapByte: number;
}

/** Of a dump at the source, a restore at the destination, and the hand-over: the tree's death here, its life there. */
export interface Costs {
  dump: Cost;
  restore: RestoreCost;
  handOver: Cost;
}

/** What the bigger trial processes hold, bytes: enough to stand out from what a dump costs anyway, little enough for every node. */
export const trialMemory = 64 * 2 ** 20;

/**
 * Of the hand-over beside the verdicts, one after the other while the service stands still: journals, the final list, CRIU's
 * run, the tombstone, the proof.
 */
const durableWrites = { source: 3, destination: 5 };

type Trial = Omit<CanaryResult, "ok" | "failure">;

export interface SourceTrials {
  small: Trial;
  big: Trial;
}

export interface DestinationTrials extends SourceTrials {
  /** As much memory as the big one, no page beside another. */
  scattered: Trial;
}

/** From a trial without memory of its own and ones with `trialMemory`, at both ends. */
export function learnCosts(source: SourceTrials, destination: DestinationTrials): Costs {
  const { small, big, scattered } = destination;
  const maps = scattered.mapBytes - big.mapBytes;
  const release = costOf(source.small.releaseMs, source.big.releaseMs);
  const written = durableWrites.source * source.small.durableMs + durableWrites.destination * small.durableMs;
  return {
    dump: costOf(source.small.dumpMs, source.big.dumpMs),
    restore: {
      ...costOf(small.restoreMs, big.restoreMs),
      msPerMapByte: maps <= 0 ? 0 : Math.max(0, scattered.restoreMs - big.restoreMs) / maps,
    },
    handOver: { ...release, fixedMs: release.fixedMs + small.resumeMs + written },
  };
}

/** Where the bigger one was as quick as the smaller, the difference is below what can be measured. */
function costOf(smallMs: number, bigMs: number): Cost {
  return { fixedMs: Math.min(smallMs, bigMs), msPerByte: Math.max(0, bigMs - smallMs) / trialMemory };
}
