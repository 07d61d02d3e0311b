import type { OpenMigration } from "../../daemon/api.js";
import type { Facts, Problem } from "../facts.js";

/** No other migration of the service is open, and the journals of both nodes survive a reboot. */
export function checkOwnership(facts: Facts, own: string | null): Problem[] {
  const { source, destination } = facts;
  const open: [string, OpenMigration | null][] = [
    [source.node, source.status?.open ?? null],
    [destination.node, destination.open],
  ];
  return [
    ...open.flatMap(([node, migration]) =>
      migration === null || migration.id === own ? [] : [openProblem(node, migration)],
    ),
    ...[source, destination].filter(({ state }) => state.volatile).map(({ node }) => volatileProblem(node)),
    ...ownerProblems(facts),
  ];
}

function ownerProblems({ source, destination, service }: Facts): Problem[] {
  const [here, there] = [source.status?.ownership, destination.ownership];
  if (here === undefined || there === null || there.role !== "owner" || there.epoch < here.epoch) return [];
  return [
    problem(
      destination.node,
      `${destination.node} owns ${service.name} at epoch ${there.epoch}, ${source.node} at ${here.epoch}: the copy on ${destination.node} is the newer one`,
      "`fastmig status PLAN` shows both; correct `from` and `to` in the plan",
    ),
  ];
}

/** `user@host pid 1 since 2026-01-01T00:00:00Z (plan.yaml)`: who holds the lock. */
export function holder({ id, by, openedAt, plan }: OpenMigration): string {
  return `migration ${id}, opened by ${by} at ${openedAt} from ${plan}`;
}

function openProblem(node: string, migration: OpenMigration): Problem {
  return problem(
    node,
    `another migration of the service is open on ${node}: ${holder(migration)}`,
    `wait for it, or look: \`fastmig status PLAN\`, \`fastmig resume ${migration.id}\`, \`fastmig abort ${migration.id}\``,
  );
}

function volatileProblem(node: string): Problem {
  return problem(
    node,
    `/var/lib/fastmig on ${node} lies in memory: a reboot would forget who owns the service`,
    "put it on a disk",
  );
}

function problem(node: string, message: string, hint: string): Problem {
  return { check: "ownership", node, message, hint };
}
