import { planArgument } from "../../plan/argument.js";
import { BaseCommand } from "../../base-command.js";

export default class Check extends BaseCommand {
  static override summary = "check a plan: every problem at once, with its line and column";
  static override description =
    "Exits 0 where the plan is sound and 2 where it is not. No node is asked anything.";
  static override examples = [
    "<%= config.bin %> plan check",
    "<%= config.bin %> plan check drain-a.yaml --json",
  ];
  static override args = { plan: planArgument };

  async run(): Promise<{ ok: true; services: number; migrations: number }> {
    const { args } = await this.parse(Check);
    const { loadPlan } = await import("../../plan/load.js");
    const plan = await loadPlan(args.plan);
    const services = Object.keys(plan.services).length;
    const migrations = plan.migrations.length;
    this.log(`ok: ${counted(services, "service")}, ${counted(migrations, "migration")}`);
    return { ok: true, services, migrations };
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
