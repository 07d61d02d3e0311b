import type { MigrationView } from "../../daemon/api.js";
import { waitFor } from "../../wait.js";
import { inspectContainer } from "../containers.js";
import { inDoubt, type MigrationContext } from "../context.js";
import type { Seen } from "../judge.js";
import { see } from "../see.js";
import { openMigrationOf, removeState } from "../state-files.js";

/** Milliseconds. */
const closeMs = 10_000;

export async function closeSource(context: MigrationContext): Promise<string> {
  const { source, id } = context;
  const before = await see(source, id);
  if (before === "unknown") return `${source.name} had not opened it`;
  if (before === "silent")
    throw new Error(
      `${source.name} does not answer; its lock on ${source.service} stays until \`fastmig abort ${id}\``,
    );
  const closed = closedSource(context, before);
  if (closed !== undefined) return closed;
  await (await source.daemon()).abort(id);
  return waitFor(
    `the end of migration ${id} on ${source.name}`,
    async () => closedSource(context, await see(source, id)),
    {
      timeout: closeMs,
    },
  );
}

/** `reclaimed` after `released` is the source's too: its tree lived on, or the operator had it brought back. */
function closedSource({ source, id }: MigrationContext, seen: Seen): string | undefined {
  if (seen === "unknown") return `${source.name} has closed it`;
  if (seen === "silent") return undefined;
  if (seen.state === "aborted" || seen.state === "reclaimed")
    return `${source.name} has closed it (${seen.state})`;
  if (seen.verdict !== "released") return undefined;
  throw inDoubt(`${source.name} has released ${source.service} meanwhile`, {
    hint: `\`fastmig resume ${id}\``,
  });
}

/**
 * The source has the service (see `closeSource`), so the destination may discard. Where a daemon lives it is asked: files are
 * removed below none. Only our own record goes: another's lock is not ours to take away.
 */
export async function closeDestination(context: MigrationContext): Promise<string> {
  const { destination, id } = context;
  const seen = await see(destination, id);
  if (typeof seen !== "string") return discardBy(context, seen);
  const record = await openMigrationOf(destination);
  if (record !== null && record.id !== id)
    return `${destination.name} is locked by another migration, left as it is`;
  const container = hasNoEngine(context) ? null : await inspectContainer(destination, destination.service);
  if (container?.running === true) return besideDaemon(context, seen, record !== null);
  const leftovers = [`migrations/${id}`, `images/${id}`];
  await removeState(destination, record === null ? leftovers : ["open.json", ...leftovers]);
  return record === null
    ? `${destination.name} has it closed`
    : `its record on ${destination.name} is removed`;
}

/** Preflight found none there: what refused the migration must not keep its lock on the node. */
function hasNoEngine({ facts }: MigrationContext): boolean {
  return facts !== null && "missing" in facts.destination.engine;
}

async function discardBy({ destination, id }: MigrationContext, seen: MigrationView): Promise<string> {
  const { state } =
    seen.state === "discarded" ? seen : await (await destination.daemon()).abort(id, { sourceAborted: true });
  if (state === "discarded") return `${destination.name} has closed it`;
  throw new Error(`${destination.name} does not discard it: it says ${state}`);
}

/** A daemon reads its lock when it starts: what it does not know then is not ours to take from under it. */
function besideDaemon(
  { destination, id }: MigrationContext,
  seen: "unknown" | "silent",
  recorded: boolean,
): string {
  if (seen === "unknown" && !recorded) return `${destination.name} has it closed`;
  const why = seen === "silent" ? "does not answer" : "does not know the migration that is recorded there";
  throw new Error(
    `the daemon of ${destination.service} on ${destination.name} ${why}, and its container runs: stop that (podman stop ${destination.service}), then \`fastmig resume ${id}\``,
  );
}
