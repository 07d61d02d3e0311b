import type { MigrationContext } from "./context.js";
import { inspectContainer, removeImage } from "./containers.js";
import { messageOf } from "../errors.js";
import type { Closing } from "./journal.js";
import * as podman from "../remote/engine.js";
import { run } from "../remote/run.js";
import { openMigrationOf, ownershipOf } from "./state-files.js";
import { statusOf } from "./steps/connect.js";
import { open } from "./steps/open.js";

export interface Cleared {
  /** What was found, a line each. */
  found: string[];
  /** Nothing is left, and both ends were seen closed. */
  complete: boolean;
}

/**
 * Removes what the journal says that this migration made, the last first, after the source was found to have the service.
 * A node that does not answer is a line, not an error: the journal then stays unfinished.
 */
export async function undoWhatWasMade(context: MigrationContext): Promise<Cleared> {
  const made = (context.journal?.entries ?? []).filter((entry) => entry.kind === "made");
  const cleared: Cleared = { found: [], complete: true };
  if (made.some(({ what }) => what === "standby"))
    await attempt(cleared, "standby", () => removeStandby(context));
  for (const { what, name } of made)
    if (what === "image") await attempt(cleared, "image", () => removeImage(context.destination, name));
  if (made.some(({ what }) => what === "open"))
    await attempt(cleared, "open", () => open.undo?.(context) ?? Promise.resolve(""));
  return cleared;
}

/** A journal closes only when no node can be locked by its migration any more: until then `resume` takes it up. */
export function closingOf({ complete }: Pick<Cleared, "complete">): Closing {
  return complete ? "rolled back" : "unfinished";
}

export function whatIsLeft(id: string, { complete }: Pick<Cleared, "complete">): string[] {
  return complete ? [] : [`something is left over: \`fastmig resume ${id}\` removes it`];
}

async function attempt(cleared: Cleared, what: string, undo: () => Promise<string>): Promise<void> {
  try {
    cleared.found.push(`${what}: ${await undo()}`);
  } catch (thrown) {
    cleared.complete = false;
    cleared.found.push(`${what}: not undone: ${messageOf(thrown)}`);
  }
}

async function removeStandby(context: MigrationContext): Promise<string> {
  const { destination, service } = context;
  const container = await inspectContainer(destination, service.name);
  if (container === null) return `there is no standby on ${destination.name}`;
  if (container.labels["io.fastmig.service"] !== service.name || !(await isStillStandby(context)))
    return `the container ${service.name} on ${destination.name} is left as it is`;
  await run(await destination.node(), podman.remove(service.name));
  return `the standby is removed from ${destination.name}`;
}

/** It may have become something else since: the service's home, or another migration's standby. */
async function isStillStandby({ destination, id, epoch }: MigrationContext): Promise<boolean> {
  const { status } = await statusOf(destination);
  if (status?.service.state === "running") return false;
  const ownership = status?.ownership ?? (await ownershipOf(destination));
  const open = status === null ? await openMigrationOf(destination) : status.open;
  const owns = ownership?.role === "owner" && ownership.epoch >= epoch;
  return !owns && (open === null || open.id === id);
}
