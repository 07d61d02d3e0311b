import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";

export default class Reboot extends BaseCommand {
  static override summary = "end everything in a node and start it again, on the disk that it has";
  static override description = "A node that is down is started. Ends when one can log in again.";
  static override examples = [
    "<%= config.bin %> lab reboot a",
    "<%= config.bin %> lab reboot a --uptime 960h",
    "<%= config.bin %> lab reboot b --cpu Nehalem --name machines",
  ];
  static override args = { node: Args.string({ description: "the node's name", required: true }) };
  static override flags = {
    name: labName,
    cpu: Flags.string({
      description: "of a machine: the processor that it has from now on, one of QEMU's models, or best",
      helpValue: "MODEL",
    }),
    uptime: Flags.string({
      description:
        "of a node in namespaces: for how much longer than this machine it has been up from now on, as its clocks have it",
      helpValue: "DURATION",
    }),
  };

  async run(): Promise<{ name: string; node: string; state: "up" }> {
    const { args, flags } = await this.parse(Reboot);
    const { runningLab } = await import("../../lab/status.js");
    const { rebootNode } = await import("../../lab/power.js");
    const { parseUptimeFlag } = await import("../../lab/flags.js");
    const change = { processor: flags.cpu, uptime: parseUptimeFlag(flags.uptime) };
    await rebootNode(await runningLab(flags.name), args.node, change);
    this.log(`node ${args.node} of the lab ${flags.name} is up again`);
    return { name: flags.name, node: args.node, state: "up" };
  }
}
