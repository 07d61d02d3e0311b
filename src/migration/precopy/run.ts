import type { MigrationView, Round } from "../../daemon/api.js";
import { assertNever, exitCodes, FastmigError, messageOf } from "../../errors.js";
import { formatDuration } from "../../units.js";
import { pause } from "../../wait.js";
import { given, type MigrationContext } from "../context.js";
import { Throttle, throttleSteps } from "../throttle/throttle.js";
import { decide, decidePredump, type Decision, type RoundsState } from "./policy.js";
import { makeRound, settledRounds } from "./round.js";
import { roundLine } from "./round-line.js";

/** Milliseconds after a round that failed, before a full one is tried: what cut it may pass. */
const afterFailureMs = 1000;

/** Makes rounds until the policy says that they end. Throws ROUNDS_ABORTED (exit 5) where that is what the plan wants then. */
export async function makeRounds(context: MigrationContext, signal: AbortSignal | undefined): Promise<void> {
  const begun = performance.now();
  let view = await settledRounds(context, signal);
  const before = numberOf(view.rounds.at(-1));
  let throttle: RoundsState["throttle"] = { steps: 0, of: throttleSteps.length, since: 0 };
  for (;;) {
    signal?.throwIfAborted();
    const state = { rounds: view.rounds, before, elapsedMs: performance.now() - begun, throttle };
    const decision = nextOf(context, view, state);
    tellRound(context, view.rounds.at(-1), before, decision);
    switch (decision.kind) {
      case "switch":
      case "abort":
        return ended(context, decision);
      case "throttle":
        throttle = await throttleTo(context, decision, state);
        break;
      case "round":
        view = await roundAfter(context, view.rounds.at(-1), signal);
        break;
      default:
        assertNever(decision);
    }
  }
}

function numberOf(round: Round | undefined): number {
  return round?.number ?? 0;
}

function ended(context: MigrationContext, decision: Extract<Decision, { kind: "switch" | "abort" }>): void {
  if (decision.kind === "abort") throw aborted(context, decision.text);
  context.tell({ kind: "said", text: decision.text });
}

function nextOf(context: MigrationContext, { tuning }: MigrationView, state: RoundsState): Decision {
  const { migration, precopy } = context;
  const plan = given(migration.precopy, "a plan with pre-copy");
  precopy.budgetMs = tuning.downtime ?? migration.downtime;
  const limits = {
    ...{ rounds: precopy.predump ?? plan.rounds, budgetMs: precopy.budgetMs },
    ...{ deadlineMs: migration.deadline, onDivergence: plan.onDivergence },
    bandwidth: { ...migration.bandwidth, rounds: tuning.bandwidth ?? migration.bandwidth.rounds },
    costs: given(precopy.costs, "the canary's costs"),
  };
  precopy.decision = precopy.predump === null ? decide(state, limits) : decidePredump(state, limits);
  return precopy.decision;
}

/** Told once, with what is predicted after it. */
function tellRound(
  { precopy, tell }: MigrationContext,
  last: Round | undefined,
  before: number,
  { prediction }: Decision,
): void {
  if (last === undefined || last.number <= before || precopy.rounds.at(-1)?.number === last.number) return;
  const round = roundLine(last, prediction, precopy.budgetMs);
  precopy.rounds.push(round);
  tell({ kind: "round", round });
}

async function roundAfter(
  context: MigrationContext,
  last: Round | undefined,
  signal: AbortSignal | undefined,
): Promise<MigrationView> {
  if (last?.state === "failed" && context.precopy.rounds.at(-1)?.number === last.number)
    await pause(afterFailureMs, signal);
  return makeRound(context, numberOf(last), signal);
}

/** A service that cannot be throttled is moved as it is: that is what comes after the last step anyway. */
async function throttleTo(
  context: MigrationContext,
  { step, text: why }: Extract<Decision, { kind: "throttle" }>,
  { rounds, throttle }: RoundsState,
): Promise<RoundsState["throttle"]> {
  const { precopy, source, accepted, tell } = context;
  try {
    precopy.throttle ??= await Throttle.open(source, await sourceTree(context));
    precopy.quota = await precopy.throttle.set(throttleSteps[step - 1] ?? 1);
    tell({ kind: "said", text: `${why}: throttled to ${precopy.quota / 1000} % of a processor` });
    return { ...throttle, steps: step, since: numberOf(rounds.at(-1)) };
  } catch (thrown) {
    const text = `${context.service.name} cannot be throttled: ${messageOf(thrown)}`;
    accepted.push(text);
    tell({ kind: "said", text });
    return { ...throttle, steps: throttle.of };
  }
}

async function sourceTree({ source }: MigrationContext): Promise<number[]> {
  const { tree } = await (await source.daemon()).status();
  return tree.map(({ pid }) => pid);
}

/** On every way out; where this program dies the node does it by itself. Answers what was found. */
export async function liftThrottle({ precopy, warnings, source }: MigrationContext): Promise<string | null> {
  const { throttle } = precopy;
  precopy.throttle = null;
  if (throttle === null) return null;
  try {
    await throttle.lift();
    return `${source.service} has its processor time again`;
  } catch (thrown) {
    warnings.push(
      `${source.name} did not say that ${source.service} has its processor time again (${messageOf(thrown)})`,
    );
    return null;
  }
}

function aborted({ service, precopy, plan }: MigrationContext, text: string): FastmigError {
  const failures = precopy.rounds.flatMap(({ number, failure }) =>
    failure === null ? [] : [`round ${number}: ${failure}`],
  );
  const total = precopy.rounds.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
  return new FastmigError(`${service.name} is not moved: ${text}`, {
    code: "ROUNDS_ABORTED",
    exit: exitCodes.rolledBack,
    details: [`${precopy.rounds.length} rounds in ${formatDuration(total)}`, ...failures],
    hint:
      failures.length > 0
        ? "nothing was frozen; see to what made the rounds fail"
        : `in ${plan.path}: onDivergence: switch moves it all the same, throttle slows it down; or raise downtime`,
  });
}
