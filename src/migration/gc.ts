import { inspectContainer } from "./containers.js";
import type { MigrationContext } from "./context.js";
import type { Journal } from "./journal.js";
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
