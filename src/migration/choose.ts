import { exitCodes, FastmigError } from "../errors.js";
import { nearest } from "../nearest.js";
import type { Plan, PlanMigration, PlanService } from "../plan/plan.js";

/** The plan's migrations, or those of the named services. Throws UNKNOWN_SERVICE and NOTHING_TO_MIGRATE (exit 2). */
export function chooseMigrations(plan: Plan, services: readonly string[]): PlanMigration[] {
  for (const name of services) chooseService(plan, name);
  const chosen =
    services.length === 0
      ? plan.migrations
      : plan.migrations.filter(({ service }) => services.includes(service));
  if (chosen.length > 0) return chosen;
  throw new FastmigError(
    `${plan.path} has no migration${services.length === 0 ? "" : ` of ${services.join(", ")}`}`,
    {
      code: "NOTHING_TO_MIGRATE",
      exit: exitCodes.usage,
      hint: "name one under `migrations`: { service, from, to }",
    },
  );
}

export function chooseService(plan: Plan, name: string): PlanService {
  const service = plan.services[name];
  if (service !== undefined) return service;
  throw unknown("service", name, Object.keys(plan.services), plan.path);
}

/** Where a service is started: the named node, else where its migration begins, else the only node there is. */
export function chooseNode(plan: Plan, service: string, named: string | undefined): string {
  const nodes = Object.keys(plan.nodes);
  if (named !== undefined) {
    if (nodes.includes(named)) return named;
    throw unknown("node", named, nodes, plan.path);
  }
  const from = plan.migrations.find((migration) => migration.service === service)?.from;
  const chosen = from ?? (nodes.length === 1 ? nodes[0] : undefined);
  if (chosen !== undefined) return chosen;
  throw new FastmigError(`${plan.path} does not say where ${service} starts`, {
    code: "NODE_NEEDED",
    exit: exitCodes.usage,
    hint: `say --on ${nodes.join("|")}`,
  });
}

function unknown(
  what: "service" | "node",
  name: string,
  known: readonly string[],
  path: string,
): FastmigError {
  const near = nearest(name, known);
  return new FastmigError(`${path} has no ${what} ${name}`, {
    code: `UNKNOWN_${what.toUpperCase()}`,
    exit: exitCodes.usage,
    hint: near === undefined ? `it has ${known.join(", ")}` : `did you mean ${near}?`,
  });
}
