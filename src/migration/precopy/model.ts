import type { Round } from "../../daemon/api.js";
import { sumOf } from "../../sum.js";
import type { Cost, Costs, RestoreCost } from "./costs.js";

/** What the rounds so far say of the next one and of the downtime. Pure. Milliseconds, bytes, bytes per second. */

export const pageSize = 4096;

/** Below it a round's time is not the line's but CRIU's and the daemons'. */
const tellingBytes = 8e6;
/** From the end of a round to the next freeze, where no two rounds have told it yet; and the most that is believed. */
const leads = { unknownMs: 500, mostMs: 2000 };
/** Two intervals that differ by less say nothing of how the written pages grow with time. */
const tellingRatio = 1.2;

/** A round that is over and good. */
export interface GoodRound extends Round {
  pages: NonNullable<Round["pages"]>;
  totalMs: number;
}

export interface Prediction {
  /** From the freeze until the service runs at the destination. */
  downtimeMs: number;
  /** The same where the service writes the same pages again and again, as long as one round alone cannot exclude it. */
  atWorstMs: number;
  /** What one round more would take off it. */
  gainMs: number;
  /** What a round costs whatever it brings; the pages' way; the restore of the whole memory; the hand-over. */
  parts: { freezeMs: number; copyMs: number; restoreMs: number; handOverMs: number };
  /** What will be dirty at the freeze. */
  dirtyBytes: number;
  /** As the last round found it. */
  dirtyRate: number;
  bandwidth: number;
}

/** What the next round or the final dump can build on, the full round first: nothing after a round that failed. */
export function chainOf(rounds: readonly Round[]): GoodRound[] {
  const from = rounds.findLastIndex((round) => round.state === "failed") + 1;
  const good = rounds.slice(from).filter(isGood);
  const full = good.findLastIndex(({ parent }) => parent === null);
  return full === -1 ? [] : good.slice(full);
}

export function isGood(round: Round): round is GoodRound {
  return round.state === "done" && round.pages !== null && round.totalMs !== null;
}

export function writtenBytes({ pages }: Pick<GoodRound, "pages">): number {
  return pages.written * pageSize;
}

/** Bytes per second that the service wrote before this round; null for a full one. */
export function dirtyRateOf(round: GoodRound): number | null {
  const { parent, sinceParentMs } = round;
  return parent === null || sinceParentMs === null || sinceParentMs <= 0
    ? null
    : (writtenBytes(round) * 1000) / sinceParentMs;
}

/**
 * What a round's bytes had of the line, from its start to the peer's last answer: that of the newest round that was big
 * enough to tell, else of all together; null: nothing was sent. A cap that was set since counts at once.
 */
export function usefulBandwidth(chain: readonly GoodRound[], cap: number | null): number | null {
  const telling = chain.findLast(({ bytes }) => bytes >= tellingBytes);
  const asked = telling === undefined ? chain : [telling];
  const [bytes, ms] = [sumOf(asked.map((one) => one.bytes)), sumOf(asked.map((one) => one.totalMs))];
  return bytes === 0 || ms <= 0 ? null : Math.min((bytes * 1000) / ms, cap ?? Infinity);
}

/** Null: no round has told yet what the service writes, or how fast the line is. */
export function predict(
  chain: readonly GoodRound[],
  costs: Costs,
  cap: { final: number | null },
): Prediction | null {
  const last = chain.at(-1);
  const dirtyRate = last === undefined ? null : dirtyRateOf(last);
  const bandwidth = usefulBandwidth(chain, cap.final);
  if (last === undefined || dirtyRate === null || bandwidth === null) return null;
  const lead = leadOf(chain);
  const dirtyBytes = dirtyAfter(last.totalMs + lead, chain);
  const { fixedMs: freezeMs, msPerByte } = roundCost(chain, costs.dump, {
    bandwidth,
    cap: cap.final ?? Infinity,
  });
  const copyMs = dirtyBytes * msPerByte;
  const dirtyAfterNext = dirtyAfter(freezeMs + copyMs + lead, chain);
  const restoreMs = restoreTime(last, costs.restore);
  const handOverMs = handOverTime(chain, last, costs.handOver);
  const rest = freezeMs + restoreMs + handOverMs;
  const worstMs = isTold(chain) ? copyMs : Math.max(copyMs, writtenBytes(last) * msPerByte);
  return {
    downtimeMs: rest + copyMs,
    atWorstMs: rest + worstMs,
    gainMs: copyMs - dirtyAfterNext * msPerByte,
    parts: { freezeMs, copyMs, restoreMs, handOverMs },
    dirtyBytes,
    dirtyRate,
    bandwidth,
  };
}

/**
 * What a round takes whatever it brings, and for each byte: the final dump is as one of them. The line through the chain's
 * rounds, each as wrong as another for its time; where they tell none, the trial's dump and the newest round's rate.
 */
function roundCost(
  chain: readonly GoodRound[],
  dump: Cost,
  { bandwidth, cap }: { bandwidth: number; cap: number },
): Cost {
  const line = lineThrough(chain.map(({ bytes, totalMs }) => ({ x: bytes, y: totalMs })));
  if (line !== null && line.slope > 0 && line.at0 > 0)
    return {
      fixedMs: Math.max(line.at0, dump.fixedMs),
      msPerByte: Math.max(line.slope, dump.msPerByte, 1000 / cap),
    };
  return {
    fixedMs: dump.fixedMs + (chain.at(-1)?.frozenMs ?? 0),
    // The daemon ships while CRIU writes: the slower of the two is what counts.
    msPerByte: Math.max(dump.msPerByte, 1000 / bandwidth),
  };
}

interface Point {
  x: number;
  y: number;
}

/** Least squares of the relative errors. Null: the points do not tell a line. */
function lineThrough(points: readonly Point[]): { at0: number; slope: number } | null {
  const sums = { w: 0, x: 0, y: 0, xx: 0, xy: 0 };
  for (const { x, y } of points) {
    const w = 1 / Math.max(1, y) ** 2;
    sums.w += w;
    sums.x += w * x;
    sums.y += w * y;
    sums.xx += w * x * x;
    sums.xy += w * x * y;
  }
  const spread = sums.w * sums.xx - sums.x ** 2;
  if (points.length < 2 || spread <= 1e-6 * sums.w * sums.xx) return null;
  const slope = (sums.w * sums.xy - sums.x * sums.y) / spread;
  return { slope, at0: (sums.y - slope * sums.x) / sums.w };
}

/**
 * All pages. The destination folds each round into the first while the next one is made: runs of pages are left of the last
 * one at most, and of the final dump, which lists about as many.
 */
function restoreTime(last: GoodRound, cost: RestoreCost): number {
  return cost.fixedMs + memoryOf(last) * cost.msPerByte + 2 * last.mapBytes * cost.msPerMapByte;
}

/**
 * What the daemons do in the freeze besides, as often as each takes about what the answer to a round's list takes: pack up,
 * take the final list, make way for the restore, pass its end on, pass the release on.
 */
const exchanges = 5;

function handOverTime(chain: readonly GoodRound[], last: GoodRound, cost: Cost): number {
  const answerMs = sumOf(chain.map((round) => round.answerMs ?? 0)) / chain.length;
  return cost.fixedMs + memoryOf(last) * cost.msPerByte + exchanges * answerMs;
}

/** Two rounds tell how the written pages grow with time; one after a long full round does not. */
function isTold(chain: readonly GoodRound[]): boolean {
  return chain.filter(({ parent }) => parent !== null).length > 1;
}

/** Bytes of the whole tree. */
function memoryOf({ pages }: GoodRound): number {
  return (pages.written + pages.skipped) * pageSize;
}

/** From a round's last answer to the next freeze, as two rounds tell it; whatever paused longer between them is no measure. */
function leadOf(chain: readonly GoodRound[]): number {
  const seen = chain.flatMap(({ sinceParentMs }, at) => {
    const before = chain[at - 1];
    return before === undefined || sinceParentMs === null
      ? []
      : [Math.max(0, sinceParentMs - before.totalMs)];
  });
  return seen.length === 0 ? leads.unknownMs : Math.min(leads.mostMs, ...seen);
}

/**
 * Bytes written within `ms` of a freeze. Pages that are written twice count once, so they grow with time to a power of 1
 * (ever new pages) down to 0 (the same working set again and again); the last two rounds tell which. Never more than the memory.
 */
export function dirtyAfter(ms: number, chain: readonly GoodRound[]): number {
  const [last, before] = chain.filter(({ parent }) => parent !== null).reverse();
  if (last === undefined) return Infinity;
  const interval = last.sinceParentMs ?? 0;
  if (interval <= 0) return writtenBytes(last);
  const grown = writtenBytes(last) * (ms / interval) ** growth(last, before);
  return Math.min(grown, memoryOf(last));
}

function growth(last: GoodRound, before: GoodRound | undefined): number {
  const ratio = (before?.sinceParentMs ?? 0) / (last.sinceParentMs ?? 1);
  if (before === undefined || ratio <= 0 || (ratio < tellingRatio && ratio > 1 / tellingRatio)) return 1;
  if (before.pages.written === 0 || last.pages.written === 0) return 1;
  const power = Math.log(before.pages.written / last.pages.written) / Math.log(ratio);
  return Math.min(1, Math.max(0, power));
}
