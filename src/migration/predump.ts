import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { exitCodes, FastmigError } from "../errors.js";
import type { Plan, PlanMigration } from "../plan/plan.js";
import { Journal } from "./journal.js";

type ReadPlan = (text: string, path: string) => Plan;

/** A predump of a plan's service, from the very node that the plan moves it from. */
interface Predump {
  journal: Journal;
  /** What is not as it was then, so that nothing can go on from it; null: all is. */
  differs: string | null;
}

/** The newest one; null: there is none. A service of the same name on another machine is another service. */
export async function findPredump(
  plan: Plan,
  migration: PlanMigration,
  journals: string,
  readPlan: ReadPlan,
): Promise<Predump | null> {
  for (const id of (await Journal.list(journals)).reverse()) {
    const journal = await Journal.read(journals, id).catch(() => null);
    if (journal?.outcome !== "predumped" || journal.created.service !== migration.service) continue;
    const then = readPlan(await readFile(journal.path("plan.yaml"), "utf8"), journal.created.plan);
    if (isSameNode(then, plan, journal.created.from, migration.from))
      return { journal, differs: difference(then, plan, journal, migration) };
  }
  return null;
}

/** The journal to go on with; null: there is none. Throws PREDUMP_DIFFERS (exit 2) where the plan wants something else by now. */
export async function takeablePredump(
  plan: Plan,
  migration: PlanMigration,
  journals: string,
  readPlan: ReadPlan,
): Promise<Journal | null> {
  const found = await findPredump(plan, migration, journals, readPlan);
  if (found === null || found.differs === null) return found?.journal ?? null;
  const { id } = found.journal.created;
  throw new FastmigError(
    `${migration.service} was predumped (migration ${id}), and ${found.differs} since: nothing can go on from it`,
    {
      code: "PREDUMP_DIFFERS",
      exit: exitCodes.usage,
      hint: `\`fastmig abort ${id}\` removes it`,
    },
  );
}

function isSameNode(then: Plan, now: Plan, before: string, after: string): boolean {
  return isDeepStrictEqual(then.nodes[before]?.reach, now.nodes[after]?.reach);
}

function difference(
  then: Plan,
  now: Plan,
  { created }: Journal,
  { service, from, to, precopy }: PlanMigration,
): string | null {
  if (created.from !== from || created.to !== to || !isSameNode(then, now, created.to, to))
    return `its way was ${created.from} → ${created.to} and is ${from} → ${to}`;
  if (!isDeepStrictEqual(then.services[service], now.services[service])) return "its plan has changed";
  return precopy === null ? "its strategy is stop-and-copy" : null;
}

/**
 * The migrations as a predump makes them: a kernel that cannot track pages is a problem then, whatever the plan says of a
 * migration. Throws NO_PRECOPY (exit 2) where the plan moves by stop-and-copy: there are no rounds to make ahead.
 */
export function roundsOnly(plan: Plan, migrations: readonly PlanMigration[]): PlanMigration[] {
  return migrations.map((migration) => {
    if (migration.precopy === null) throw withoutRounds(plan, migration);
    return { ...migration, precopy: { ...migration.precopy, onUnsupported: "abort" } };
  });
}

function withoutRounds({ path }: Plan, { service }: PlanMigration): FastmigError {
  return new FastmigError(`${path} moves ${service} by stop-and-copy: there are no rounds to make`, {
    code: "NO_PRECOPY",
    exit: exitCodes.usage,
    hint: "write `strategy: pre-copy`, or name the services that have it with --service",
  });
}
