import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import type { MigrationResult } from "../migration/migrate.js";
import { clockFlag, connectFlags, connectOptions, migrateOptions, serviceFlag } from "../migration/flags.js";
import { planArgument } from "../plan/argument.js";
import type { Plan, PlanMigration } from "../plan/plan.js";

type Shown = Exclude<MigrationResult, { outcome: "failed" }>;

export default class Migrate extends BaseCommand {
  static override summary = "move the plan's services to their destinations, with their memory";
  static override description =
    "Until the destination runs, a failure or Ctrl-C leaves the source serving. Progress goes to stderr, the report to stdout.";
  static override examples = [
    "<%= config.bin %> migrate plan.yaml",
    "<%= config.bin %> migrate plan.yaml --service counter --json",
    "<%= config.bin %> migrate plan.yaml --dry-run",
  ];
  static override args = { plan: planArgument };
  static override flags = {
    ...connectFlags,
    ...clockFlag,
    ...serviceFlag,
    "dry-run": Flags.boolean({ description: "print the steps and touch nothing" }),
    strict: Flags.boolean({ description: "exit 8 where a downtime budget was missed" }),
  };

  readonly #open = new Set<string>();

  protected override whatIsLeft(): readonly string[] {
    return [...this.#open].map((id) => `fastmig resume ${id}`);
  }

  async run(): Promise<object> {
    const { args, flags } = await this.parse(Migrate);
    const { loadPlan, parsePlan: readPlan } = await import("../plan/load.js");
    const { chooseMigrations } = await import("../migration/choose.js");
    const plan = await loadPlan(args.plan);
    const migrations = chooseMigrations(plan, flags.service);
    if (flags["dry-run"]) return this.showSteps(plan, migrations);
    const [{ migrateAll }, { Nodes }, { openDisplay }, { throwFailures, throwMissedBudgets }] =
      await Promise.all([
        import("../migration/migrate.js"),
        import("../migration/nodes.js"),
        import("../ui/display.js"),
        import("../migration/outcome.js"),
      ]);
    const nodes = new Nodes(plan, connectOptions(flags));
    const display = await openDisplay(this.jsonEnabled());
    const options = migrateOptions(flags, this.config.version);
    const results = await migrateAll({
      plan,
      migrations,
      nodes,
      options,
      readPlan,
      progress: display.progress,
      signal: this.interrupt,
      begun: (id) => this.#open.add(id),
      ended: (id) => this.#open.delete(id),
    }).finally(async () => {
      await display.end();
      await nodes.close();
    });
    const shown = results.filter((result): result is Shown => result.outcome !== "failed");
    await this.show(shown);
    throwFailures(results);
    if (flags.strict) throwMissedBudgets(results);
    return { migrations: shown };
  }

  private async showSteps(plan: Plan, migrations: readonly PlanMigration[]): Promise<object> {
    const { describeSteps } = await import("../migration/describe.js");
    const described = migrations.map((migration) => ({
      service: migration.service,
      from: migration.from,
      to: migration.to,
      steps: describeSteps(plan, migration),
    }));
    for (const { service, from, to, steps } of described)
      this.log([`${service}: ${from} → ${to}`, ...steps.map((step) => `  ${step}`)].join("\n"));
    return { dryRun: true, migrations: described };
  }

  private async show(results: readonly Shown[]): Promise<void> {
    const { reportText } = await import("../ui/report.js");
    for (const result of results) {
      if (result.outcome === "migrated" && result.report !== null) this.log(reportText(result.report));
      else this.log(`${result.service}: ${result.from} → ${result.to}: ${result.outcome}`);
    }
  }
}
