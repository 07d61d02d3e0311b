import { BaseCommand } from "../../base-command.js";
import { planArgument } from "../../plan/argument.js";
import type { Plan } from "../../plan/plan.js";

export default class Show extends BaseCommand {
  static override summary = "print a plan with every default filled in";
  static override description =
    "Prints YAML that reads back as the same plan. With --json durations are milliseconds and sizes bytes.";
  static override examples = [
    "<%= config.bin %> plan show",
    "<%= config.bin %> plan show drain-a.yaml --json",
  ];
  static override args = { plan: planArgument };

  async run(): Promise<{ plan: Omit<Plan, "text"> }> {
    const { args } = await this.parse(Show);
    const { loadPlan } = await import("../../plan/load.js");
    const { planYaml } = await import("../../plan/write.js");
    const plan = await loadPlan(args.plan);
    this.log(planYaml(plan).trimEnd());
    const { path, nodes, services, migrations, options } = plan;
    return { plan: { path, nodes, services, migrations, options } };
  }
}
