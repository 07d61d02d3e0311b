import { given, type MigrationContext } from "../context.js";
import { migrationReport, type Versions } from "../report.js";
import type { Step } from "../step.js";

/** Writes report.json beside the journal and closes the journal. */
export const report: Step<MigrationContext> = {
  name: "report",
  title: "Write the report",
  kind: "final",
  run: async (context) => {
    const { journal, views } = context;
    if (views !== null) context.report = reportOf(context, views);
    if (context.report !== null)
      await journal?.write("report.json", `${JSON.stringify(context.report, null, 2)}\n`);
    await journal?.append({ kind: "closed", outcome: context.warnings.length === 0 ? "done" : "unfinished" });
  },
};

function reportOf(
  context: MigrationContext,
  views: NonNullable<MigrationContext["views"]>,
): MigrationContext["report"] {
  const { id, epoch, migration, startedAt, steps, transfer, kept, accepted, warnings, precopy } = context;
  return migrationReport({
    ...{ id, epoch, startedAt, steps, kept, warnings: [...accepted, ...warnings] },
    ...{ service: migration.service, from: migration.from, to: migration.to, strategy: strategyOf(context) },
    budget: precopy.budgetMs,
    precopy,
    endedAt: new Date(),
    ...transfer,
    ...views,
    versions: versions(context),
  });
}

/** What was done, not what was wanted. */
function strategyOf({ migration, precopy }: MigrationContext): string {
  return precopy.unsupported === null ? migration.strategy : "stop-and-copy";
}

function versions({ look, standby, facts, options }: MigrationContext): Versions {
  const theirs = given(look, "the first look").source;
  const engine = (node: NonNullable<typeof facts>["source" | "destination"] | undefined): string =>
    node !== undefined && "version" in node.engine ? node.engine.version : "unknown";
  return {
    fastmig: options.version,
    daemon: { source: theirs?.version ?? "unknown", destination: standby?.version ?? "unknown" },
    criu: {
      source: theirs?.criu.version ?? "unknown",
      destination: standby?.status.criu.version ?? "unknown",
    },
    engine: { source: engine(facts?.source), destination: engine(facts?.destination) },
  };
}
