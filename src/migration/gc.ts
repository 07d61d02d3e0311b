import type { ConnectOptions } from "../remote/connect.js";
import { inspectContainer } from "./containers.js";
import { given, type MigrationContext } from "./context.js";
import { isDue, isForgettable, uncleared } from "./gc-rules.js";
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
    if (
      !isDue(journal, now) &&
      !isForgettable(journal, now, olderThan) &&
      uncleared(journal, now).length === 0
    )
      continue;
    const request = { id, options, connect, alive: "allow" as const };
    collected.push(await withReopened(request, (context) => collect(context, now, olderThan)));
  }
  return collected;
}

/** `now` and `olderThan` in milliseconds. What could not be removed is named, and tried again the next time. */
export async function collect(context: MigrationContext, now: number, olderThan: number): Promise<Collected> {
  const journal = given(context.journal, "the journal");
  const result: Collected = { id: context.id, removed: [], left: [] };
  for (const { container, node, until } of journal.kept) {
    const what = `${container} on ${node}`;
    if (Date.parse(until) > now) result.left.push(`${what} until ${until}`);
    else await attempt(result, what, () => removeKept(context, container));
  }
  for (const node of uncleared(journal, now))
    await attempt(result, `its logs on ${node}`, () => clearAt(context, node));
  const bare = uncleared(journal, now).length === 0;
  if (bare && isForgettable(journal, now, olderThan))
    await attempt(result, "its journal", () => journal.remove());
  return result;
}

async function attempt(result: Collected, what: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
    result.removed.push(what);
  } catch (thrown) {
    result.left.push(`${what}: ${messageOf(thrown)}`);
  }
}

/** Only a stopped one, of that very name: it names the migration. */
async function removeKept({ source, journal }: MigrationContext, name: string): Promise<void> {
  const container = await inspectContainer(source, name);
  if (container?.running === true) throw new Error("it runs");
  if (container !== null) await run(await source.node(), podman.remove(name));
  await journal?.append({ kind: "removed", node: source.name, container: name });
}

async function clearAt({ id, source, destination, journal }: MigrationContext, name: string): Promise<void> {
  const site = name === source.name ? source : destination;
  const open = await openMigrationOf(site);
  if (open?.id === id) throw new Error("the migration is open there");
  await removeState(site, [`migrations/${id}`, `images/${id}`]);
  await journal?.append({ kind: "cleared", node: name });
}
