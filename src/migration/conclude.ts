import { exitCodes, FastmigError } from "../errors.js";
import type { MigrationContext } from "./context.js";
import { exitOf, standingOf, type Standing } from "./standing.js";
import type { Closing } from "./journal.js";
import { statusOf } from "./steps/connect.js";
import type { RunResult } from "./step.js";
import { closingOf } from "./undo-made.js";

export type Failure = Extract<RunResult, { kind: "failed" }>;

/** Asks both ends once more, closes the journal, and makes the error whose last line says where the service stands and what comes next. */
export async function conclude(
  context: MigrationContext,
  failure: Failure,
): Promise<{ error: unknown; text: string }> {
  const standing = await standingNow(context);
  const exit = exitOf(
    { thrown: exitThrown(failure.thrown), switching: context.switching, final: failure.final },
    standing,
  );
  await context.journal?.append({ kind: "closed", outcome: closingAfter(exit, failure) });
  const last = lastLine(context, failure, standing, exit);
  return { error: whole(failure, exit, last), text: last };
}

/** Nothing was opened anywhere: whatever the service did before, it does now. */
export function untouched(
  { plan, service }: MigrationContext,
  failure: Failure,
): { error: unknown; text: string } {
  const { thrown } = failure;
  const last = `${service.name} was not touched; next, once that is solved: \`fastmig migrate ${plan.path}\``;
  return { error: whole(failure, exitThrown(thrown), last), text: last };
}

function closingAfter(exit: number, { leftovers }: Failure): Closing {
  if (exit === exitCodes.inDoubt || exit === exitCodes.unreachable) return "in doubt";
  return closingOf({ complete: leftovers.length === 0 });
}

async function standingNow({ source, destination, migration }: MigrationContext): Promise<Standing> {
  const [theirs, ours] = await Promise.all([statusOf(source), statusOf(destination)]);
  return standingOf(migration, theirs.status, ours.status);
}

/** What nobody expected is a bug, and says so itself; here it counts as a failure. */
function exitThrown(thrown: unknown): FastmigError["exit"] {
  return thrown instanceof FastmigError ? thrown.exit : exitCodes.rolledBack;
}

function lastLine(
  { id, plan, journal }: MigrationContext,
  failure: Failure,
  { text }: Standing,
  exit: number,
): string {
  if (exit === exitCodes.inDoubt) return `${text}; next: \`fastmig resume ${id}\``;
  if (failure.leftovers.length > 0 && journal !== null)
    return `${text}; something is left over: \`fastmig resume ${id}\` removes it`;
  return `${text}; next, once that is solved: \`fastmig migrate ${plan.path}\``;
}

function whole(
  { thrown, step, undone, leftovers }: Failure,
  exit: FastmigError["exit"],
  last: string,
): unknown {
  if (!(thrown instanceof FastmigError)) return thrown;
  const found = [
    ...undone.map((one) => `undone: ${one.step}: ${one.found}`),
    ...leftovers.map((one) => `not undone: ${one.step}: ${one.found}`),
  ];
  return new FastmigError(`${step}: ${thrown.message}`, {
    code: thrown.code,
    exit,
    details: [...thrown.details, ...found],
    hint: [...thrown.hint, last],
    cause: thrown,
  });
}
