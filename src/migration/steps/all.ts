import type { PlanMigration } from "../../plan/plan.js";
import type { MigrationContext } from "../context.js";
import type { Step } from "../step.js";
import { canary } from "./canary.js";
import { cleanup } from "./cleanup.js";
import { confirm } from "./confirm.js";
import { connect } from "./connect.js";
import { health } from "./health.js";
import { image } from "./image.js";
import { open } from "./open.js";
import { preflight } from "./preflight.js";
import { report } from "./report.js";
import { rounds } from "./rounds.js";
import { standby } from "./standby.js";
import { switchover } from "./switchover.js";

/** What a service that is at the destination already needs: nothing but to be asked. */
export const firstSteps: readonly Step<MigrationContext>[] = [connect];

/** What is made ready while the service runs: a predump ends with it. */
export const readyingSteps: readonly Step<MigrationContext>[] = [open, preflight, image, standby, canary];

/** The commit happens within `switchover`, between the two daemons; `health` is the first step after it. */
export function laterSteps({ strategy }: PlanMigration): readonly Step<MigrationContext>[] {
  return [...readyingSteps, ...(strategy === "pre-copy" ? [rounds] : []), switchover, ...finishingSteps];
}

/** What is left to do once the destination runs; each of them may have been done before. */
export const finishingSteps: readonly Step<MigrationContext>[] = [health, confirm, cleanup, report];

export function allSteps(migration: PlanMigration): readonly Step<MigrationContext>[] {
  return [...firstSteps, ...laterSteps(migration)];
}

/** The steps of `predump`: what it leaves open, `migrate` goes on with. */
export const predumpSteps: readonly Step<MigrationContext>[] = [...readyingSteps, rounds];
