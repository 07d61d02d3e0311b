import type { Plan, PlanMigration } from "../plan/plan.js";
import { allSteps } from "./steps/all.js";

/** The steps that `migrate` runs, one line each. */
export function describeSteps(_plan: Plan, { from, to }: PlanMigration): string[] {
  return allSteps.map(
    ({ name, title, kind }) =>
      `${name}: ${title} (${from} → ${to})${kind === "final" ? ", never undone" : ""}`,
  );
}
