import { BaseCommand } from "../../base-command.js";
import { planArgument } from "../../plan/argument.js";
import type { Plan, PlanMigration } from "../../plan/plan.js";

type Shown = Omit<Plan, "text" | "migrations"> & { migrations: (PlanMigration & { steps: string[] })[] };

export default class Show extends BaseCommand {
  static override summary = "print a plan with every default filled in, and the steps of its migrations";
  static override description =
    "Prints YAML that reads back as the same plan; the steps stand in comments after it. With --json durations are milliseconds and sizes bytes.";
  static override examples = [
    "<%= config.bin %> plan show",
    "<%= config.bin %> plan show drain-a.yaml --json",
  ];
  static override args = { plan: planArgument };

  async run(): Promise<{ plan: Shown }> {
    const { args } = await this.parse(Show);
    const [{ loadPlan }, { planYaml }, { describeSteps }] = await Promise.all([
      import("../../plan/load.js"),
      import("../../plan/write.js"),
      import("../../migration/describe.js"),
    ]);
    const plan = await loadPlan(args.plan);
    const { path, nodes, services, options } = plan;
    const migrations = plan.migrations.map((migration) => ({
      ...migration,
      steps: describeSteps(plan, migration),
    }));
    this.log([planYaml(plan).trimEnd(), ...migrations.flatMap(stepLines)].join("\n"));
    return { plan: { path, nodes, services, migrations, options } };
  }
}

function stepLines({ service, from, to, steps }: Shown["migrations"][number]): string[] {
  return ["", `# ${service}: ${from} → ${to}`, ...steps.map((step) => `#   ${step}`)];
}
