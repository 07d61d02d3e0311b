import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";

export default class Kill extends BaseCommand {
  static override summary = "pull a node's plug: everything in it is gone at once, its disk stays";
  static override description =
    "What a machine (--kind vm) had not yet written to its disk is lost too. `lab up` or `lab reboot` starts the node again.";
  static override examples = ["<%= config.bin %> lab kill a"];
  static override args = { node: Args.string({ description: "the node's name", required: true }) };
  static override flags = { name: labName };

  async run(): Promise<{ name: string; node: string; state: "down" }> {
    const { args, flags } = await this.parse(Kill);
    const { runningLab } = await import("../../lab/status.js");
    const { killNode } = await import("../../lab/power.js");
    await killNode(await runningLab(flags.name), args.node);
    this.log(`node ${args.node} of the lab ${flags.name} has no power`);
    return { name: flags.name, node: args.node, state: "down" };
  }
}
