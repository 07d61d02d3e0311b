import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { connectFlags, connectOptions } from "../migration/flags.js";
import type { Started } from "../migration/start.js";
import { planArgument } from "../plan/argument.js";

export default class Start extends BaseCommand {
  static override summary = "run the plan's services from scratch on their nodes";
  static override description =
    "Every node of the plan is asked first: a service that runs or could come back elsewhere is not started. Without --on a service starts where its migration begins.";
  static override examples = [
    "<%= config.bin %> start plan.yaml",
    "<%= config.bin %> start plan.yaml counter --on a",
  ];
  static override args = { plan: planArgument, service: Args.string({ description: "only this service" }) };
  static override flags = {
    ...connectFlags,
    on: Flags.string({ description: "the node", helpValue: "NODE" }),
  };

  async run(): Promise<{ services: Started[] }> {
    const { args, flags } = await this.parse(Start);
    const [{ loadPlan }, { chooseService, chooseNode }, { Nodes }, { startService }] = await Promise.all([
      import("../plan/load.js"),
      import("../migration/choose.js"),
      import("../migration/nodes.js"),
      import("../migration/start.js"),
    ]);
    const plan = await loadPlan(args.plan);
    const chosen =
      args.service === undefined ? Object.values(plan.services) : [chooseService(plan, args.service)];
    const nodes = new Nodes(plan, connectOptions(flags, this.interrupt));
    const services: Started[] = [];
    try {
      for (const service of chosen) {
        const started = await startService(nodes, service, chooseNode(plan, service.name, flags.on));
        services.push(started);
        this.log(`${started.service}: ${started.outcome} on ${started.node} (epoch ${started.epoch})`);
      }
    } finally {
      await nodes.close();
    }
    return { services };
  }
}
