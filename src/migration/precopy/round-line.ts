import type { Round } from "../../daemon/api.js";
import type { Prediction } from "./model.js";
import { dirtyRateOf, isGood } from "./model.js";

/** One round as it is shown and reported: milliseconds, bytes, bytes per second, pages of 4096 bytes. Keys are an API. */
export interface RoundLine {
  number: number;
  /** The round that it builds on; null: it has the whole memory. */
  parent: number | null;
  state: "done" | "failed";
  pages: number | null;
  bytes: number;
  ms: number | null;
  /** How long the service stood still for it. */
  frozenMs: number | null;
  /** What the service wrote since the round before. */
  dirtyRate: number | null;
  /** Of the line, as this round used it. */
  rate: number | null;
  /** The downtime, had the service been frozen after it. */
  predictedMs: number | null;
  budgetMs: number | null;
  failure: string | null;
}

export function roundLine(round: Round, prediction: Prediction | null, budgetMs: number | null): RoundLine {
  const { number, parent, bytes, totalMs, frozenMs, failure, pages } = round;
  return {
    ...{ number, parent, bytes },
    state: round.state === "done" ? "done" : "failed",
    pages: pages?.written ?? null,
    ms: totalMs,
    frozenMs,
    dirtyRate: isGood(round) ? rounded(dirtyRateOf(round)) : null,
    rate: totalMs === null || totalMs <= 0 ? null : Math.round((bytes * 1000) / totalMs),
    predictedMs: rounded(prediction?.downtimeMs ?? null),
    budgetMs,
    failure: failure === null ? null : `${failure.step}: ${failure.message}`,
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
