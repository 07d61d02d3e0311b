import type { Plan, PlanMigration } from "../plan/plan.js";
import { inspectContainer } from "./containers.js";
import { newContext, given, type MigrateOptions, type MigrationContext } from "./context.js";
import { label, watching } from "./migrate.js";
import type { Nodes } from "./nodes.js";
import type { Progress } from "./progress.js";
import { awaitDaemon, createStandby } from "./standby.js";
import { runSteps, type Step } from "./step.js";
import { connect } from "./steps/connect.js";
import { image } from "./steps/image.js";
import { preflight } from "./steps/preflight.js";
import { standby } from "./steps/standby.js";

export interface Prepared {
  service: string;
  node: string;
  outcome: "standing by" | "stood by already";
}

/** A standby without a migration: nothing is opened, and a later `migrate` uses it. */
const ready: Step<MigrationContext> = {
  ...standby,
  run: async (context, signal) => {
    const { destination, service, facts } = context;
    const { container } = given(facts, "preflight's facts").source;
    if ((await inspectContainer(destination, service.name)) === null)
      await createStandby(destination, service, given(container, "the source's container").imageId);
    await awaitDaemon(destination, signal);
  },
};

export const prepareSteps: readonly Step<MigrationContext>[] = [connect, preflight, image, ready];

/** Throws what made it impossible, after what it made is removed again. */
async function prepareStandby(
  nodes: Nodes,
  plan: Plan,
  migration: PlanMigration,
  options: MigrateOptions,
  run: { progress: Progress; signal: AbortSignal },
): Promise<Prepared> {
  const context = newContext(nodes, plan, migration, options);
  const result = await runSteps(prepareSteps, context, watching(context, run.progress), run.signal);
  if (result.kind === "failed") throw result.thrown;
  const before = given(context.facts, "preflight's facts").destination.container !== null;
  return {
    service: migration.service,
    node: migration.to,
    outcome: before ? "stood by already" : "standing by",
  };
}

/** One after the other: what each does there takes the whole node. */
export async function prepareAll(
  nodes: Nodes,
  plan: Plan,
  migrations: readonly PlanMigration[],
  options: MigrateOptions,
  run: { progress: Progress; signal: AbortSignal },
): Promise<Prepared[]> {
  for (const migration of migrations)
    run.progress({
      migration: label(migration),
      kind: "planned",
      title: `standby of ${label(migration)}`,
      steps: prepareSteps,
    });
  const prepared: Prepared[] = [];
  for (const migration of migrations)
    prepared.push(await prepareStandby(nodes, plan, migration, options, run));
  return prepared;
}
