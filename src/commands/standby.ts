import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { clockFlag, connectFlags, connectOptions, migrateOptions } from "../migration/flags.js";
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
    service: Flags.string({
      char: "s",
      description: "only this service's; may be given several times",
      multiple: true,
      default: [],
    }),
  };

  async run(): Promise<{ standbys: Prepared[] }> {
    const { args, flags } = await this.parse(Standby);
    const [{ loadPlan }, { chooseMigrations }, { Nodes }, { prepareStandby }, { plainProgress }] =
      await Promise.all([
        import("../plan/load.js"),
        import("../migration/choose.js"),
        import("../migration/nodes.js"),
        import("../migration/prepare.js"),
        import("../ui/plain.js"),
      ]);
    const plan = await loadPlan(args.plan);
    const nodes = new Nodes(plan, connectOptions(flags));
    const run = { progress: plainProgress((line) => this.logToStderr(line)), signal: this.interrupt };
    const standbys: Prepared[] = [];
    try {
      for (const migration of chooseMigrations(plan, flags.service)) {
        const prepared = await prepareStandby(
          nodes,
          plan,
          migration,
          migrateOptions(flags, this.config.version),
          run,
        );
        standbys.push(prepared);
        this.log(`${prepared.service}: ${prepared.outcome} on ${prepared.node}`);
      }
    } finally {
      await nodes.close();
    }
    return { standbys };
  }
}
