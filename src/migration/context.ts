import { ulid } from "ulid";
import type { MigrationView, Ownership, Status } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { Plan, PlanMigration, PlanService, Rounds } from "../plan/plan.js";
import type { Facts } from "./facts.js";
import type { Line } from "./line.js";
import type { Costs } from "./precopy/costs.js";
import type { Decision } from "./precopy/policy.js";
import type { RoundLine } from "./precopy/round-line.js";
import type { Throttle } from "./throttle/throttle.js";
import type { Journal } from "./journal.js";
import type { StepEvent } from "./progress.js";
import type { MigrationReport, StepTime } from "./report.js";
import { Site } from "./site.js";
import type { Nodes } from "./nodes.js";

export interface MigrateOptions {
  allowClockJump: boolean;
  /** A destination that is not healthy is confirmed all the same: the operator has looked. */
  acceptUnhealthy: boolean;
  sshConfig: string | null;
  /** Where the journals lie. */
  journals: string;
  /** The program's own version. */
  version: string;
}

/** What the two ends say before anything is touched. */
export interface FirstLook {
  source: Status | null;
  /** Why the source's daemon gave no status. */
  sourceError: string | null;
  destination: Status | null;
  destinationOwnership: Ownership | null;
}

/** The rounds before the freeze, as far as they are. */
export interface PreCopyRun {
  /** Why they are not made, though the plan wants them. */
  unsupported: string | null;
  costs: Costs | null;
  /** This run's, the newest last. */
  rounds: RoundLine[];
  decision: Decision | null;
  /** As the plan or `tune` has it; milliseconds. */
  budgetMs: number | null;
  /** Set: only so many rounds are made, and nothing is switched over. */
  predump: Rounds | null;
  throttle: Throttle | null;
  /** Microseconds of processor time within 100 ms that the service was left with last; null: it was not throttled. */
  quota: number | null;
}

/** What the steps of one migration share, and what each leaves for the later ones. */
export interface MigrationContext {
  readonly id: string;
  readonly plan: Plan;
  readonly migration: PlanMigration;
  readonly service: PlanService;
  readonly options: MigrateOptions;
  readonly source: Site;
  readonly destination: Site;
  readonly startedAt: Date;
  readonly steps: StepTime[];
  /** What is left to do, or to look at: with any of them the journal stays unfinished. */
  readonly warnings: string[];
  /** What the operator took as it is; reported as a warning. */
  readonly accepted: string[];
  tell(event: StepEvent): void;
  look: FirstLook | null;
  epoch: number;
  /** A predump's journal, which this run goes on with once it has the nodes. */
  begun: Journal | null;
  journal: Journal | null;
  facts: Facts | null;
  /** The destination's standby: its daemon's first status, and the port published for direct transfers. */
  standby: { status: Status; port: number | null; version: string } | null;
  transfer: { mode: "direct" | "relay"; reason: string | null };
  /** Open from the first round to the end of the switchover. */
  line: Line | null;
  precopy: PreCopyRun;
  /** Whether the source was asked to switch over: from then on only the daemons know. */
  switching: boolean;
  /** Why the switchover was given up from here, where it was. */
  obstacle: string | null;
  views: { source: MigrationView; destination: MigrationView } | null;
  kept: MigrationReport["kept"];
  report: MigrationReport | null;
}

export function newContext(
  nodes: Nodes,
  plan: Plan,
  migration: PlanMigration,
  options: MigrateOptions,
  id = ulid(),
): MigrationContext {
  const service = plan.services[migration.service];
  if (service === undefined) throw new Error(`the plan has no service ${migration.service}`);
  return {
    ...{
      id,
      plan,
      migration,
      service,
      options,
      startedAt: new Date(),
      steps: [],
      warnings: [],
      accepted: [],
    },
    source: new Site(nodes, migration.from, service.name),
    destination: new Site(nodes, migration.to, service.name),
    tell: () => undefined,
    ...nothingYet,
    precopy: newRun(migration),
    transfer: { mode: "relay", reason: null },
  };
}

/** What the steps leave, before the first of them. */
const nothingYet = {
  look: null,
  epoch: 0,
  begun: null,
  journal: null,
  facts: null,
  standby: null,
  switching: false,
  obstacle: null,
  views: null,
  kept: null,
  report: null,
  line: null,
} as const;

function newRun({ downtime }: PlanMigration): PreCopyRun {
  return {
    ...{ unsupported: null, costs: null, rounds: [], decision: null, budgetMs: downtime },
    ...{ predump: null, throttle: null, quota: null },
  };
}

/** What an earlier step left; its absence is a bug in the order of steps. */
export function given<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`a step needs ${what}, which no step before it left`);
  return value;
}

export function inDoubt(
  message: string,
  parts: { details?: readonly string[]; hint: string | readonly string[]; cause?: unknown },
): FastmigError {
  return new FastmigError(message, { code: "IN_DOUBT", exit: exitCodes.inDoubt, ...parts });
}
