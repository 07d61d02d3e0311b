import { BaseCommand } from "../base-command.js";
import type { Checked } from "../migration/preflight-all.js";
import { clockFlag, connectFlags, connectOptions, migrateOptions, serviceFlag } from "../migration/flags.js";
import { planArgument } from "../plan/argument.js";

export default class Preflight extends BaseCommand {
  static override summary = "check whether the plan's migrations could begin; touches nothing";
  static override description =
    "Says every problem at once, each with what to do. Exits 0 where there is none and 3 where there are some.";
  static override examples = ["<%= config.bin %> preflight plan.yaml"];
  static override args = { plan: planArgument };
  static override flags = {
    ...connectFlags,
    ...clockFlag,
    ...serviceFlag,
  };

  async run(): Promise<{ migrations: Checked[] }> {
    const { args, flags } = await this.parse(Preflight);
    const [{ loadPlan }, { chooseMigrations }, { preflightAll }] = await Promise.all([
      import("../plan/load.js"),
      import("../migration/choose.js"),
      import("../migration/preflight-all.js"),
    ]);
    const plan = await loadPlan(args.plan);
    const migrations = await preflightAll(
      plan,
      chooseMigrations(plan, flags.service),
      migrateOptions(flags, this.config.version),
      connectOptions(flags, this.interrupt),
    );
    for (const { service, from, to, outcome, warnings } of migrations)
      this.log(
        [`${service}: ${from} → ${to}: ${outcome}`, ...warnings.map((line) => `  ${line}`)].join("\n"),
      );
    return { migrations };
  }
}
