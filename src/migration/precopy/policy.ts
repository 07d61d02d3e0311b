import type { Round } from "../../daemon/api.js";
import type { Bandwidth, PreCopy, Rounds } from "../../plan/plan.js";
import { formatDuration, formatRate } from "../../units.js";
import type { Costs } from "./costs.js";
import { chainOf, predict, writtenBytes, type GoodRound, type Prediction } from "./model.js";

/** When the rounds end. Pure; every number that decides is named here. */
export const limits = {
  /** A round that has more than this part of the pages of the one before it does not shrink. */
  shrink: 0.9,
  /** So many rounds in a row that do not shrink, and no more are made. */
  flatRounds: 2,
  /** Of the bandwidth: what writes this fast leaves the line nothing to gain. */
  dirtyShare: 0.8,
  /** Below this part of the predicted downtime the pages' way is not what takes the time: rounds bring nothing more. */
  copyShare: 0.1,
  /** Without a budget: a round that would save less than this part of the predicted downtime is not made. */
  gainShare: 0.03,
  /** `rounds: auto` */
  autoRounds: 30,
  /** Rounds that failed in a row, and in all, before no more are tried. */
  failuresInARow: 2,
  failures: 4,
};

export interface RoundsState {
  /** All that the migration has made, settled; the newest last. */
  rounds: readonly Round[];
  /** The number of the last round that was there before this run of the program; 0: none. */
  before: number;
  /** Milliseconds since this run's first round began. */
  elapsedMs: number;
  /** Throttling steps that were taken, and the last round before the newest of them. */
  throttle: { steps: number; of: number; since: number };
}

export interface RoundsLimits {
  rounds: Rounds;
  /** Milliseconds; null: as short as it gets. */
  budgetMs: number | null;
  /** Milliseconds that the rounds may take in all. */
  deadlineMs: number;
  onDivergence: PreCopy["onDivergence"];
  bandwidth: Bandwidth;
  costs: Costs;
}

/** `fits`: the predicted downtime is within the budget; `converged`: no budget, and it does not get shorter. */
export type WhySwitch = "fits" | "converged" | "diverged" | "failed";

/** `text` says why, for people. */
export type Decision = { text: string; prediction: Prediction | null } & (
  | { kind: "round" }
  /** The service gets less processor time: the step's number, from 1. */
  | { kind: "throttle"; step: number }
  | { kind: "switch"; why: WhySwitch }
  | { kind: "abort" }
);

/** What is done next, after each round. */
export function decide(state: RoundsState, wanted: RoundsLimits): Decision {
  const chain = chainOf(state.rounds);
  const prediction = predict(chain, wanted.costs, wanted.bandwidth);
  const fresh = state.rounds.filter(({ number }) => number > state.before);
  // What was predumped may be hours old: only a round of now tells what the service writes.
  if (fresh.length === 0) return { kind: "round", text: "the first round", prediction: null };
  const failed = tooManyFailures(fresh);
  if (failed !== null) return withoutChain(failed, wanted);
  const fitting = fits(prediction, wanted.budgetMs) ? prediction : null;
  const ended = whyNoMore(state, wanted, chain, prediction);
  if (fitting !== null && (ended !== null || fitting.atWorstMs <= (wanted.budgetMs ?? 0)))
    return { kind: "switch", why: "fits", text: fitText(fitting, wanted), prediction };
  if (ended === null) return { kind: "round", text: "another round", prediction };
  return diverged(state, wanted, prediction, ended);
}

/** `predump`: as many good rounds as were asked for; with `auto` until they end by themselves. Nothing is switched over. */
export function decidePredump(state: RoundsState, wanted: RoundsLimits): Decision {
  const prediction = predict(chainOf(state.rounds), wanted.costs, wanted.bandwidth);
  const fresh = state.rounds.filter(({ number }) => number > state.before);
  const failed = tooManyFailures(fresh);
  if (failed !== null) return { kind: "abort", text: failed, prediction };
  if (wanted.rounds === "auto") return decide(state, { ...wanted, onDivergence: "switch" });
  const made = fresh.filter(({ state: how }) => how === "done").length;
  const text = `${made} of ${wanted.rounds} rounds`;
  return made < wanted.rounds
    ? { kind: "round", text, prediction }
    : { kind: "switch", why: "converged", text, prediction };
}

interface Ended {
  text: string;
  /** Whether the service's writing is what stands in the way, so that less of it helps. */
  byWriting: boolean;
}

function fits(prediction: Prediction | null, budget: number | null): prediction is Prediction {
  return prediction !== null && budget !== null && prediction.downtimeMs <= budget;
}

function fitText({ downtimeMs }: Prediction, { budgetMs }: RoundsLimits): string {
  return `${about(downtimeMs)} of downtime predicted, within ${formatDuration(budgetMs ?? 0)}`;
}

function tooManyFailures(fresh: readonly Round[]): string | null {
  const failures = fresh.filter(({ state }) => state === "failed").length;
  const inARow = fresh.length - 1 - fresh.findLastIndex(({ state }) => state !== "failed");
  if (inARow < limits.failuresInARow && failures < limits.failures) return null;
  return `${failures} of ${fresh.length} rounds failed`;
}

function withoutChain(text: string, { onDivergence }: RoundsLimits): Decision {
  return onDivergence === "abort"
    ? { kind: "abort", text, prediction: null }
    : { kind: "switch", why: "failed", text: `${text}: the whole memory is copied now`, prediction: null };
}

/** Why no further round is made; null: one is. */
function whyNoMore(
  state: RoundsState,
  wanted: RoundsLimits,
  chain: readonly GoodRound[],
  prediction: Prediction | null,
): Ended | null {
  const { since, steps } = state.throttle;
  if (state.elapsedMs >= wanted.deadlineMs)
    return { text: `${formatDuration(wanted.deadlineMs)} are over`, byWriting: false };
  const most = wanted.rounds === "auto" ? limits.autoRounds : wanted.rounds;
  const made = state.rounds.filter(({ number }) => number > Math.max(state.before, since)).length;
  if (made >= most) return { text: `${made} rounds are made`, byWriting: true };
  // The first round after a throttling step has what was written before it.
  const telling = steps === 0 ? chain : chain.filter(({ number }) => number > since + 1);
  if (prediction === null || telling.length === 0) return null;
  const gain = wanted.budgetMs === null ? littleGain(prediction) : null;
  return saturated(prediction) ?? flat(telling) ?? fixed(prediction) ?? gain;
}

function littleGain({ gainMs, downtimeMs }: Prediction): Ended | null {
  if (gainMs >= limits.gainShare * downtimeMs) return null;
  return { text: `another round would save ${about(Math.max(0, gainMs))}`, byWriting: true };
}

function saturated({ dirtyRate, bandwidth }: Prediction): Ended | null {
  if (dirtyRate < limits.dirtyShare * bandwidth) return null;
  return {
    text: `it writes ${formatRate(dirtyRate)}, the line takes ${formatRate(bandwidth)}`,
    byWriting: true,
  };
}

function flat(chain: readonly GoodRound[]): Ended | null {
  const last = chain.slice(-limits.flatRounds - 1);
  const isFlat = last.every((round, at) => {
    const before = last[at - 1];
    return before === undefined || writtenBytes(round) >= limits.shrink * writtenBytes(before);
  });
  return isFlat && last.length > limits.flatRounds
    ? { text: "the rounds do not get shorter", byWriting: true }
    : null;
}

function fixed({ parts, downtimeMs }: Prediction): Ended | null {
  if (parts.copyMs > limits.copyShare * downtimeMs) return null;
  return {
    text: `freeze and restore take ${about(parts.freezeMs + parts.restoreMs)} whatever is dirty`,
    byWriting: false,
  };
}

function diverged(
  { throttle }: RoundsState,
  { budgetMs, onDivergence }: RoundsLimits,
  prediction: Prediction | null,
  { text, byWriting }: Ended,
): Decision {
  if (budgetMs === null) return { kind: "switch", why: "converged", text, prediction };
  if (onDivergence === "throttle" && byWriting && throttle.steps < throttle.of)
    return { kind: "throttle", step: throttle.steps + 1, text, prediction };
  const missed = `${text}; ${missText(prediction, budgetMs)}`;
  return onDivergence === "abort"
    ? { kind: "abort", text: missed, prediction }
    : { kind: "switch", why: "diverged", text: missed, prediction };
}

function missText(prediction: Prediction | null, budgetMs: number): string {
  const budget = `the budget is ${formatDuration(budgetMs)}`;
  return prediction === null ? budget : `${about(prediction.downtimeMs)} of downtime predicted, ${budget}`;
}

/** Nobody reads a prediction's last digits. */
function about(ms: number): string {
  return formatDuration(Number(ms.toPrecision(3)));
}
