import type { ConnectOptions } from "../remote/connect.js";
import { inspectContainer } from "./containers.js";
import type { MigrationContext } from "./context.js";
import { Journal } from "./journal.js";
import { withReopened, type ReopenOptions } from "./reopen.js";
import { openMigrationOf, removeState } from "./state-files.js";
import { messageOf } from "../errors.js";
import * as podman from "../remote/engine.js";
import { run } from "../remote/run.js";

export interface Collected {
  id: string;
  removed: string[];
  left: string[];
}

/** Whether a closed migration has containers whose time is over. `now` in milliseconds. */
export function isDue(journal: Pick<Journal, "kept">, now: number): boolean {
  return journal.kept.some(({ until }) => Date.parse(until) <= now);
}

/** Whether nothing on any node belongs to it any more, and it was closed longer than `olderThan` milliseconds ago. */
export function isForgettable(
  journal: Pick<Journal, "kept" | "outcome" | "entries">,
  now: number,
  olderThan: number,
): boolean {
  const last = journal.entries.at(-1);
  const settled = journal.outcome === "done" || journal.outcome === "rolled back";
  return settled && journal.kept.length === 0 && last !== undefined && now - Date.parse(last.at) >= olderThan;
}

/** Removes the kept containers whose time is over. Only stopped ones, of that very name: it names the migration. */
export async function collect({ id, source, journal }: MigrationContext, now: number): Promise<Collected> {
  const result: Collected = { id, removed: [], left: [] };
  for (const kept of journal?.kept ?? []) {
    if (Date.parse(kept.until) > now) {
      result.left.push(`${kept.container} on ${kept.node} until ${kept.until}`);
      continue;
    }
    try {
      const container = await inspectContainer(source, kept.container);
      if (container?.running === true) throw new Error("it runs");
      if (container !== null) await run(await source.node(), podman.remove(kept.container));
      await journal?.append({ kind: "removed", node: kept.node, container: kept.container });
      result.removed.push(`${kept.container} on ${kept.node}`);
    } catch (thrown) {
      result.left.push(`${kept.container} on ${kept.node}: ${messageOf(thrown)}`);
    }
  }
  return result;
}

/** Goes through all journals of this operator. An unsettled migration is left to `resume`. */
export async function collectAll(
  options: ReopenOptions,
  connect: ConnectOptions,
  olderThan: number,
): Promise<Collected[]> {
  const collected: Collected[] = [];
  const now = Date.now();
  for (const id of await Journal.list(options.journals)) {
    const journal = await Journal.read(options.journals, id);
    if (!isDue(journal, now) && !isForgettable(journal, now, olderThan)) continue;
    const request = { id, options, connect, alive: "allow" as const };
    collected.push(await withReopened(request, (context) => collectOne(context, now, olderThan)));
  }
  return collected;
}

async function collectOne(context: MigrationContext, now: number, olderThan: number): Promise<Collected> {
  const result = await collect(context, now);
  if (context.journal === null || !isForgettable(context.journal, now, olderThan)) return result;
  try {
    await Promise.all([context.source, context.destination].map((site) => forgetAt(context, site)));
    await context.journal.remove();
    result.removed.push("its journal");
  } catch (thrown) {
    result.left.push(`its journal: ${messageOf(thrown)}`);
  }
  return result;
}

async function forgetAt({ id }: MigrationContext, site: MigrationContext["source"]): Promise<void> {
  const open = await openMigrationOf(site);
  if (open?.id === id) throw new Error(`it is open on ${site.name}`);
  await removeState(site, [`migrations/${id}`]);
}
