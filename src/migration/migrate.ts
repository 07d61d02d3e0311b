import { messageOf } from "../errors.js";
import type { Plan, PlanMigration, Rounds } from "../plan/plan.js";
import { conclude, untouched, type Failure } from "./conclude.js";
import { newContext, type MigrateOptions, type MigrationContext } from "./context.js";
import type { Nodes } from "./nodes.js";
import type { Progress } from "./progress.js";
import { closeLine } from "./line.js";
import type { RoundLine } from "./precopy/round-line.js";
import { takeablePredump } from "./predump.js";
import type { MigrationReport } from "./report.js";
import { runJobs } from "./scheduler.js";
import { runSteps, type Step, type StepWatch } from "./step.js";
import { allSteps, firstSteps, predumpSteps } from "./steps/all.js";
import { isAlreadyThere } from "./steps/connect.js";

export type MigrationResult = { service: string; from: string; to: string } & (
  | { outcome: "migrated"; report: MigrationReport | null; warnings: string[] }
  | { outcome: "already there" }
  /** Open, with its standby and the images of its rounds. */
  | { outcome: "predumped"; id: string; rounds: RoundLine[]; text: string }
  | { outcome: "failed"; error: unknown }
  /** Another one failed before, and the plan says `onFailure: stop`. */
  | { outcome: "not begun" }
);

export interface MigrateRequest {
  plan: Plan;
  migrations: readonly PlanMigration[];
  nodes: Nodes;
  options: MigrateOptions;
  progress: Progress;
  signal: AbortSignal;
  /** A plan's own reader: what a predump was begun with is compared with the plan. */
  readPlan(text: string, path: string): Plan;
  /** Set: only so many rounds are made, and the migrations stay open for a later run. */
  predump?: Rounds;
  /** Hears of each migration's id as it begins, for whoever has to say what is left. */
  begun?: (id: string) => void;
  ended?: (id: string) => void;
}

/** Runs the plan's migrations side by side within its options. Never throws for a migration that failed: its result says so. */
export async function migrateAll(request: MigrateRequest): Promise<MigrationResult[]> {
  const jobs = request.migrations.map((migration) => ({
    name: label(migration),
    nodes: [migration.from, migration.to],
    migration,
  }));
  for (const { name, migration } of jobs)
    request.progress({ migration: name, kind: "planned", title: name, steps: stepsOf(request, migration) });
  const results = await runJobs(
    jobs,
    request.plan.options,
    ({ migration }) => migrateOne(request, migration),
    ({ outcome }) => outcome === "failed",
  );
  return results.map((result) =>
    result.ran ? result.result : { ...ends(result.job.migration), outcome: "not begun" },
  );
}

function stepsOf({ predump }: MigrateRequest, migration: PlanMigration): readonly Step<MigrationContext>[] {
  return predump === undefined ? allSteps(migration) : [...firstSteps, ...predumpSteps];
}

async function migrateOne(request: MigrateRequest, migration: PlanMigration): Promise<MigrationResult> {
  let id: string | undefined;
  try {
    const context = await contextOf(request, migration);
    id = context.id;
    request.begun?.(id);
    return await drive(context, request);
  } catch (error) {
    return { ...ends(migration), outcome: "failed", error };
  } finally {
    if (id !== undefined) request.ended?.(id);
  }
}

/** A predump is gone on with under its own id. */
async function contextOf(
  { plan, nodes, options, readPlan, predump }: MigrateRequest,
  migration: PlanMigration,
): Promise<MigrationContext> {
  const begun = await takeablePredump(plan, migration, options.journals, readPlan);
  const context = newContext(nodes, plan, migration, options, begun?.created.id);
  context.begun = begun;
  context.precopy.predump = predump ?? null;
  return context;
}

async function drive(context: MigrationContext, request: MigrateRequest): Promise<MigrationResult> {
  const { progress, signal } = request;
  const { migration } = context;
  const watch = watching(context, progress);
  const close = (ok: boolean, text: string): void =>
    progress({ migration: label(migration), kind: "closed", ok, text });
  const first = await runSteps(firstSteps, context, watch, signal);
  if (first.kind === "failed") return fail(context, first, close);
  if (isAlreadyThere(context)) {
    close(true, `${migration.service} is on ${migration.to} already`);
    return { ...ends(migration), outcome: "already there" };
  }
  const later = await runSteps(stepsOf(request, migration).slice(firstSteps.length), context, watch, signal);
  if (later.kind === "failed") return fail(context, later, close);
  if (request.predump !== undefined) return leaveOpen(context, close);
  close(true, `${migration.service} runs on ${migration.to}`);
  return { ...ends(migration), outcome: "migrated", report: context.report, warnings: context.warnings };
}

async function leaveOpen(
  context: MigrationContext,
  close: (ok: boolean, text: string) => void,
): Promise<MigrationResult> {
  const { id, precopy, migration, journal, plan } = context;
  await closeLine(context);
  await journal?.append({ kind: "closed", outcome: "predumped" });
  const text = `${precopy.decision?.text ?? ""}; \`fastmig migrate ${plan.path}\` goes on from it`;
  close(true, `${migration.service} serves on ${migration.from}: ${text}`);
  return { ...ends(migration), outcome: "predumped", id, rounds: precopy.rounds, text };
}

async function fail(
  context: MigrationContext,
  failure: Failure,
  close: (ok: boolean, text: string) => void,
): Promise<MigrationResult> {
  const { error, text } =
    context.journal === null ? untouched(context, failure) : await conclude(context, failure);
  close(false, text);
  return { ...ends(context.migration), outcome: "failed", error };
}

/** Keeps the journal, the times and the display around each step. */
export function watching(context: MigrationContext, progress: Progress): StepWatch<MigrationContext> {
  const migration = label(context.migration);
  return {
    around: async (step, run) => {
      context.tell = (event) => progress({ migration, step: step.name, ...event });
      context.tell({ kind: "started" });
      await context.journal?.append({ kind: "step", step: step.name, state: "begun" });
      const started = performance.now();
      await run().catch((thrown: unknown) => failed(context, step, thrown));
      const ms = Math.round(performance.now() - started);
      context.steps.push({ name: step.name, ms });
      context.tell({ kind: "ended", ms });
      if (step.name !== "report")
        await context.journal?.append({ kind: "step", step: step.name, state: "ended" });
    },
    undone: (step, found) => progress({ migration, step: step.name, kind: "undone", found }),
  };
}

async function failed(
  context: MigrationContext,
  step: Step<MigrationContext>,
  thrown: unknown,
): Promise<never> {
  context.tell({ kind: "failed", message: messageOf(thrown) });
  await context.journal?.append({
    kind: "step",
    step: step.name,
    state: "failed",
    detail: messageOf(thrown),
  });
  throw thrown;
}

export function label({ service, from, to }: PlanMigration): string {
  return `${service}: ${from} → ${to}`;
}

function ends({ service, from, to }: PlanMigration): { service: string; from: string; to: string } {
  return { service, from, to };
}
