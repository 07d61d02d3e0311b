import type { Plan, PlanMigration } from "../plan/plan.js";
import { allSteps } from "./steps/all.js";

/** The steps that `migrate` runs, one line each. */
export function describeSteps(_plan: Plan, migration: PlanMigration): string[] {
  const { from, to } = migration;
  return allSteps(migration).map(
    ({ name, title, kind }) =>
      `${name}: ${title} (${from} → ${to})${kind === "final" ? ", never undone" : ""}`,
  );
}
