import { exitCodes, FastmigError } from "../errors.js";
import type { ReleaseProof } from "../daemon/api.js";
import { inspectContainer } from "./containers.js";
import type { ConnectOptions } from "../remote/connect.js";
import type { MigrationContext } from "./context.js";
import { withReopened, type ReopenOptions } from "./reopen.js";
import { judge } from "./judge.js";
import { watching } from "./migrate.js";
import type { Progress } from "./progress.js";
import type { MigrationReport } from "./report.js";
import { runSteps } from "./step.js";
import { createState, verdictOf } from "./state-files.js";
import { finishingSteps } from "./steps/all.js";
import { connect } from "./steps/connect.js";
import { closingOf, undoWhatWasMade, whatIsLeft } from "./undo-made.js";
import {
  askToAbort,
  carryProof,
  discarded,
  doubt,
  neverOpened,
  seeBoth,
  watchToTheEnd,
  type Both,
} from "./watch.js";

export type Resumed = { id: string } & (
  | { outcome: "finished"; report: MigrationReport | null; warnings: string[] }
  /** Nothing was released: the source has the service, and what the migration made is removed. */
  | { outcome: "rolled back"; found: string[] }
  /** It was closed before. */
  | { outcome: "closed" }
);

const patienceMs = 30_000;

/** Takes up a migration whose program is gone: forward where the source let go, back where it did not. Throws IN_DOUBT where nobody can say. */
export async function resume(context: MigrationContext, progress: Progress): Promise<Resumed> {
  const { journal, id } = context;
  if (journal?.outcome === "done" || journal?.outcome === "rolled back") return { id, outcome: "closed" };
  const judgement = await settle(context);
  if (judgement === "committed") return finish(context, progress);
  const cleared = await undoWhatWasMade(context);
  await journal?.append({ kind: "closed", outcome: closingOf(cleared) });
  return { id, outcome: "rolled back", found: [...cleared.found, ...whatIsLeft(id, cleared)] };
}

/** Brings both ends to where the service has one owner. */
async function settle(context: MigrationContext): Promise<"committed" | "rolledBack"> {
  const both = await seeBoth(context);
  switch (judge(both.source, both.destination)) {
    case "committed":
      return "committed";
    case "rolledBack":
      await discarded(context, both);
      return "rolledBack";
    case "open":
      return settleOpen(context);
    case "released":
      await carryProof(context, both);
      return (await watchToTheEnd(context, { within: patienceMs })).judgement;
    case "inDoubt":
      return settleDoubt(context, both);
  }
}

/** With `direct` the daemons may still be at it between themselves; with `relay` the line died with the program. */
async function settleOpen(context: MigrationContext): Promise<"committed" | "rolledBack"> {
  const begun = context.journal?.entries.find(
    (entry) =>
      entry.kind === "step" &&
      entry.step === "switchover" &&
      entry.state === "begun" &&
      entry.detail !== undefined,
  );
  const direct = begun?.kind === "step" && begun.detail === "direct";
  if (!direct) await askToAbort(context);
  const within = (direct ? context.migration.deadline : 0) + context.migration.lease + patienceMs;
  return (await watchToTheEnd(context, { within })).judgement;
}

/** The source's daemon may be gone for good; its node can still prove that nothing of it lives. */
async function settleDoubt(context: MigrationContext, both: Both): Promise<"committed" | "rolledBack"> {
  if (neverOpened(context, both)) return "rolledBack";
  const proof = (await carryProof(context, both))
    ? null
    : await proofOfNode(context, both).catch(unlessUnreachable);
  if (proof === "aborted") return "rolledBack";
  if (proof !== null) await (await context.destination.daemon()).released(context.id, proof);
  const after = await seeBoth(context);
  if (judge(after.source, after.destination) === "inDoubt" && proof === null) throw doubt(context, after);
  return (await watchToTheEnd(context, { within: patienceMs })).judgement;
}

/** The source's node answers, its container is stopped, and its verdict is, or becomes, `released`: then everything that was dumped is dead. */
async function proofOfNode(
  context: MigrationContext,
  { source, destination }: Both,
): Promise<ReleaseProof | "aborted" | null> {
  if (source !== "silent" || typeof destination === "string") return null;
  if (destination.state !== "prepared" && destination.state !== "inDoubt") return null;
  const container = await inspectContainer(context.source, context.service.name);
  if (container?.running === true) return null;
  await createState(context.source, `migrations/${context.id}/verdict`, "released\n");
  if ((await verdictOf(context.source, context.id)) !== "released") return "aborted";
  return { id: context.id, epoch: context.epoch, kind: "stopped", pids: [] };
}

/** A node that cannot be asked proves nothing; that is the doubt itself, and not an error beside it. */
function unlessUnreachable(thrown: unknown): null {
  if (thrown instanceof FastmigError && thrown.exit === exitCodes.unreachable) return null;
  throw thrown;
}

async function finish(context: MigrationContext, progress: Progress): Promise<Resumed> {
  const result = await runSteps([connect, ...finishingSteps], context, watching(context, progress));
  if (result.kind === "failed") throw result.thrown;
  return { id: context.id, outcome: "finished", report: context.report, warnings: context.warnings };
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
