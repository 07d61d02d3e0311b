import { BaseCommand } from "../base-command.js";
import { clockFlag, connectFlags, connectOptions, migrateOptions, serviceFlag } from "../migration/flags.js";
import type { Prepared } from "../migration/prepare.js";
import { planArgument } from "../plan/argument.js";

export default class Standby extends BaseCommand {
  static override summary = "start the standbys at the destinations, ahead of their migrations";
  static override description =
    "Checks as preflight does, brings the container image and starts a container whose daemon waits. `migrate` then uses it.";
  static override examples = ["<%= config.bin %> standby plan.yaml"];
  static override args = { plan: planArgument };
  static override flags = {
    ...connectFlags,
    ...clockFlag,
    ...serviceFlag,
  };

  async run(): Promise<{ standbys: Prepared[] }> {
    const { args, flags } = await this.parse(Standby);
    const [{ loadPlan }, { chooseMigrations }, { Nodes }, { prepareAll }, { openDisplay }] =
      await Promise.all([
        import("../plan/load.js"),
        import("../migration/choose.js"),
        import("../migration/nodes.js"),
        import("../migration/prepare.js"),
        import("../ui/display.js"),
      ]);
    const plan = await loadPlan(args.plan);
    const nodes = new Nodes(plan, connectOptions(flags));
    const display = await openDisplay(this.jsonEnabled());
    const run = { progress: display.progress, signal: this.interrupt };
    const options = migrateOptions(flags, this.config.version);
    const standbys = await prepareAll(
      nodes,
      plan,
      chooseMigrations(plan, flags.service),
      options,
      run,
    ).finally(async () => {
      await display.end();
      await nodes.close();
    });
    for (const { service, node, outcome } of standbys) this.log(`${service}: ${outcome} on ${node}`);
    return { standbys };
  }
}
