import { median, row, type Row } from "../figures.js";
import { type ByHand } from "./by-hand.js";
import { type RawChain } from "./raw-chain.js";

/** A move in rounds, in milliseconds and bytes. */
export interface PreCopyMove {
  /** As the client saw it, and as the daemons did, freeze to resume. */
  downtime: number;
  blackout: number;
  /** What was predicted when it was decided to switch over. */
  predicted: number;
  /** From the start of round 1 to the freeze. */
  ahead: number;
  rounds: number;
  /** Of all rounds. */
  bytes: number;
  /** Of the final dump. */
  finalBytes: number;
  restore: number;
}

export interface PreCopySeries {
  /** Bytes per second. */
  rate: number;
  ours: PreCopyMove[];
  /** Downtimes that the client saw without pre-copy. */
  stopAndCopy: number[];
  raw: RawChain[];
  byHand: ByHand[];
}

/** The four figures, and what stands beside them. Medians, since a client's view has no useful minimum. */
export function precopyRows(series: PreCopySeries): Row[] {
  return [
    ...downtimeRows(series),
    aheadRow(series),
    predictionRow(series),
    byHandRow(series),
    copyRow(series),
  ];
}

function downtimeRows({ ours, stopAndCopy, raw, rate }: PreCopySeries): Row[] {
  const downtime = median(ours.map((move) => move.downtime));
  const without = median(stopAndCopy);
  const [dump, restore] = [median(raw.map((each) => each.dump)), median(raw.map((each) => each.restore))];
  const wire = (median(raw.map(({ bytes }) => bytes)) / rate) * 1000;
  const least = dump + wire + restore;
  const parts = `raw ${ms(least)}: dump ${ms(dump)} + dirty ÷ rate ${ms(wire)} + restore ${ms(restore)}`;
  const ourRestore = median(ours.map((move) => move.restore));
  return [
    row(
      "downtime without pre-copy, as the client saw it",
      without,
      "ms",
      null,
      `median of ${stopAndCopy.length}`,
    ),
    row("downtime with pre-copy ÷ without", downtime / without, "×", 0.5, `${ms(downtime)} ÷ ${ms(without)}`),
    row("downtime with pre-copy ÷ raw", downtime / least, "×", 1.3, parts),
    row("of it restore", ourRestore, "ms", null, `${percent(ourRestore / downtime)} of ${ms(downtime)}`),
  ];
}

function aheadRow({ ours, raw, rate }: PreCopySeries): Row {
  const share = ours.map((move) => move.ahead / leastAhead(move, raw, rate));
  const note = `median of ${ours.length}; ${ours.map(({ rounds, ahead }) => `${rounds} in ${ms(ahead)}`).join(", ")}`;
  return row("round 1 to the freeze ÷ (bytes ÷ rate × 1.5 + raw pre-dumps)", median(share), "×", 1, note);
}

/** The bar of one move: half as much again as its bytes need on the wire, and CRIU's own time for as many rounds. */
export function leastAhead(move: PreCopyMove, raw: readonly RawChain[], rate: number): number {
  const full = median(raw.map(({ preDumps }) => preDumps[0] ?? NaN));
  const later = median(raw.flatMap(({ preDumps }) => preDumps.slice(1)));
  return 1.5 * (move.bytes / rate) * 1000 + full + (move.rounds - 1) * later;
}

function predictionRow({ ours }: PreCopySeries): Row {
  const missed = ours.filter((move) => !isPredicted(move)).length;
  const pairs = ours.map(({ predicted, blackout }) => `${ms(predicted)} → ${ms(blackout)}`).join(", ");
  return row("predictions off by more than 30 % and 100 ms", missed, "runs", 0, pairs);
}

/** Within 30 % or 100 ms of what came. */
export function isPredicted({ predicted, blackout }: Pick<PreCopyMove, "predicted" | "blackout">): boolean {
  return Math.abs(predicted - blackout) <= Math.max(100, 0.3 * blackout);
}

function byHandRow({ byHand, ours }: PreCopySeries): Row {
  const downtime = median(byHand.map((move) => move.downtime));
  const [one] = byHand;
  const parts =
    one === undefined
      ? ""
      : `checkpoint ${ms(one.checkpoint)}, copy ${ms(one.copy)}, restore ${ms(one.restore)}; `;
  const times = downtime / median(ours.map((move) => move.downtime));
  return row(
    "by hand, podman checkpoint and restore",
    downtime,
    "ms",
    null,
    `${parts}${times.toFixed(1)} × ours`,
  );
}

/** Where it is far below the link's rate, the processors are what both sides wait for. */
function copyRow({ raw }: PreCopySeries): Row {
  const rate = median(raw.map(({ copyRate }) => copyRate)) / 1e6;
  return row("raw copy of all images, one TCP connection", rate, "MB/s", null, "tar and socat");
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
