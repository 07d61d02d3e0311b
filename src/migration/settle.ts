import { exitCodes, FastmigError } from "../errors.js";
import type { ReleaseProof } from "../daemon/api.js";
import { inspectContainer } from "./containers.js";
import type { MigrationContext } from "./context.js";
import { judge, lacksAnswer } from "./judge.js";
import { reopenLine } from "./line.js";
import { createState, lastStateOf, verdictOf } from "./state-files.js";
import { isInDoubt } from "./step.js";
import {
  askToAbort,
  carryProof,
  discarded,
  doubt,
  neverOpened,
  onlyCopy,
  seeBoth,
  watchToTheEnd,
  type Both,
} from "./watch.js";

type Settled = "committed" | "rolledBack";

const patienceMs = 30_000;

/** Brings both ends to where the service has one owner. */
export async function settle(context: MigrationContext): Promise<Settled> {
  const both = await seeBoth(context);
  switch (judge(both.source, both.destination)) {
    case "committed":
      return "committed";
    case "rolledBack":
      await discarded(context, both);
      return "rolledBack";
    case "open":
      return settleOpen(context, both);
    case "released":
      await carryProof(context, both);
      return (await watchToTheEnd(context, { within: patienceMs })).judgement;
    case "inDoubt":
      return settleDoubt(context, both);
  }
}

/** With `direct` the daemons may still be at it between themselves; with `relay` the line died with the program. */
async function settleOpen(context: MigrationContext, both: Both): Promise<Settled> {
  const { journal, migration } = context;
  const within = migration.deadline + migration.lease + patienceMs;
  if (journal?.way === "direct") return (await watchToTheEnd(context, { within })).judgement;
  if (journal?.way === "relay" && lacksAnswer(both.source, both.destination))
    return overTheLine(context, within);
  if (!(await askToAbort(context))) throw onlyCopy(context);
  return (await watchToTheEnd(context, { within: migration.lease + patienceMs })).judgement;
}

/** Its answer is all that the source lacks: it asks for it as long as it takes, where there is a line. */
async function overTheLine(context: MigrationContext, within: number): Promise<Settled> {
  const line = await reopenLine(context);
  try {
    return (await watchToTheEnd(context, { within })).judgement;
  } catch (thrown) {
    if (!isInDoubt(thrown)) throw thrown;
    return await settleDoubt(context, await seeBoth(context));
  } finally {
    await line.close();
  }
}

/** The source's daemon may be gone for good; its node can still prove that nothing of it lives. */
async function settleDoubt(context: MigrationContext, both: Both): Promise<Settled> {
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

/**
 * The source's node answers, its container is stopped, its verdict is, or becomes, `released`, and it did not take the service back
 * after that: then everything that was dumped is dead.
 */
async function proofOfNode(
  context: MigrationContext,
  { source, destination }: Both,
): Promise<ReleaseProof | "aborted" | null> {
  if (source !== "silent" || typeof destination === "string") return null;
  if (destination.state !== "prepared" && destination.state !== "inDoubt") return null;
  const container = await inspectContainer(context.source, context.service.name);
  if (container?.running === true) return null;
  const last = await lastStateOf(context.source, context.id);
  // Its tree went on although the verdict is `released`: what the destination holds is older.
  if (last === "aborted" || last === "reclaimed") return "aborted";
  if (last === "restoringBack") return null;
  await createState(context.source, `migrations/${context.id}/verdict`, "released\n");
  if ((await verdictOf(context.source, context.id)) !== "released") return "aborted";
  return { id: context.id, epoch: context.epoch, kind: "stopped", pids: [] };
}

/** A node that cannot be asked proves nothing; that is the doubt itself, and not an error beside it. */
function unlessUnreachable(thrown: unknown): null {
  if (thrown instanceof FastmigError && thrown.exit === exitCodes.unreachable) return null;
  throw thrown;
}
