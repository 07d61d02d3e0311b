import { exitCodes, FastmigError } from "../errors.js";
import type { ConnectOptions } from "../remote/connect.js";
import type { MigrationContext } from "./context.js";
import { withReopened, type ReopenOptions } from "./reopen.js";
import { watching } from "./migrate.js";
import type { Progress } from "./progress.js";
import type { MigrationReport } from "./report.js";
import { settle } from "./settle.js";
import { runSteps } from "./step.js";
import { finishingSteps } from "./steps/all.js";
import { connect } from "./steps/connect.js";
import { closingOf, undoWhatWasMade, whatIsLeft } from "./undo-made.js";

export type Resumed = { id: string } & (
  | { outcome: "finished"; report: MigrationReport | null; warnings: string[] }
  /** Nothing was released: the source has the service, and what the migration made is removed. */
  | { outcome: "rolled back"; found: string[] }
  /** It was closed before. */
  | { outcome: "closed" }
);

/** Takes up a migration whose program is gone: forward where the source let go, back where it did not. Throws IN_DOUBT where nobody can say. */
export async function resume(context: MigrationContext, progress: Progress): Promise<Resumed> {
  const { journal, id } = context;
  if (journal?.outcome === "done" || journal?.outcome === "rolled back") return { id, outcome: "closed" };
  if (journal?.outcome === "predumped") throw predumped(context);
  const judgement = await settle(context);
  if (judgement === "committed") return finish(context, progress);
  const cleared = await undoWhatWasMade(context);
  await journal?.append({ kind: "closed", outcome: closingOf(cleared) });
  return { id, outcome: "rolled back", found: [...cleared.found, ...whatIsLeft(id, cleared)] };
}

async function finish(context: MigrationContext, progress: Progress): Promise<Resumed> {
  const result = await runSteps([connect, ...finishingSteps], context, watching(context, progress));
  if (result.kind === "failed") throw result.thrown;
  return {
    id: context.id,
    outcome: "finished",
    report: context.report,
    warnings: [...context.accepted, ...context.warnings],
  };
}

/** Throws ROLLED_BACK (exit 5) where it went back: its outcome is a failure, whoever ended it. */
export async function resumeById(
  id: string,
  options: ReopenOptions,
  connect: ConnectOptions,
  progress: Progress,
): Promise<Resumed> {
  return withReopened({ id, options, connect, alive: "refuse" }, async (context) => {
    const resumed = await resume(context, progress);
    if (resumed.outcome === "rolled back") throw rolledBack(context, resumed.found);
    return resumed;
  });
}

/** Nothing of it is unfinished: it waits. */
function predumped({ id, service, plan }: MigrationContext): FastmigError {
  return new FastmigError(`migration ${id} is a predump of ${service.name}: there is nothing to resume`, {
    code: "PREDUMPED",
    exit: exitCodes.usage,
    hint: `\`fastmig migrate ${plan.path}\` goes on from it, \`fastmig abort ${id}\` removes it`,
  });
}

function rolledBack(
  { service, source, id, journal }: MigrationContext,
  found: readonly string[],
): FastmigError {
  return new FastmigError(`migration ${id} is rolled back`, {
    code: "ROLLED_BACK",
    exit: exitCodes.rolledBack,
    details: found,
    hint: `${service.name} is ${source.name}'s; next: \`fastmig migrate ${journal?.created.plan ?? "PLAN"}\``,
  });
}
