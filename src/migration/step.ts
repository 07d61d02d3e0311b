import { exitCodes, FastmigError, messageOf } from "../errors.js";

/** `final`: from here on the destination owns the service; nothing before it is undone any more. */
export interface Step<C> {
  name: string;
  title: string;
  kind: "reversible" | "final";
  run(context: C, signal: AbortSignal | undefined): Promise<void>;
  /** Looks at the real state, removes what this migration made there, and says what it found. Must bear that `run` failed half way. */
  undo?(context: C): Promise<string>;
}

export interface Undone {
  step: string;
  found: string;
}

export interface StepWatch<C> {
  /** Called around each run; keeps the journal, the times and the display. */
  around(step: Step<C>, run: () => Promise<void>): Promise<void>;
  undone(step: Step<C>, found: string): void;
}

export type RunResult =
  | { kind: "done" }
  | { kind: "failed"; step: string; thrown: unknown; final: boolean; undone: Undone[]; leftovers: Undone[] };

/**
 * Runs the steps in order. A failure, or the signal, before the first final step undoes what ran, the last first;
 * an error with exit code 6 (in doubt) undoes nothing: whatever is there may be the only copy.
 */
export async function runSteps<C>(
  steps: readonly Step<C>[],
  context: C,
  watch: StepWatch<C>,
  signal?: AbortSignal,
): Promise<RunResult> {
  let begun: Step<C>[] = [];
  let abort = signal;
  let final = false;
  for (const step of steps) {
    if (step.kind === "final") [begun, abort, final] = [[], undefined, true];
    try {
      abort?.throwIfAborted();
      begun.unshift(step);
      await watch.around(step, () => step.run(context, abort));
    } catch (thrown) {
      return {
        kind: "failed",
        step: step.name,
        final,
        ...(await undoAll(final ? [] : begun, context, watch, thrown)),
      };
    }
  }
  return { kind: "done" };
}

type Undoing = Pick<Extract<RunResult, { kind: "failed" }>, "thrown" | "undone" | "leftovers">;

async function undoAll<C>(
  begun: readonly Step<C>[],
  context: C,
  watch: StepWatch<C>,
  thrown: unknown,
): Promise<Undoing> {
  const result: Undoing = { thrown, undone: [], leftovers: [] };
  for (const step of begun) {
    if (isInDoubt(result.thrown)) break;
    await undoOne(step, context, watch, result);
  }
  return result;
}

async function undoOne<C>(step: Step<C>, context: C, watch: StepWatch<C>, result: Undoing): Promise<void> {
  if (step.undo === undefined) return;
  try {
    const found = await step.undo(context);
    result.undone.push({ step: step.name, found });
    watch.undone(step, found);
  } catch (thrown) {
    if (isInDoubt(thrown)) result.thrown = thrown;
    else
      result.leftovers.push({
        step: step.name,
        found: messageOf(thrown),
      });
  }
}

export function isInDoubt(thrown: unknown): boolean {
  return thrown instanceof FastmigError && thrown.exit === exitCodes.inDoubt;
}
