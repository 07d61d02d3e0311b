import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";

const end = Args.string({ description: "a node's name, `controller` or `client`", required: true });

export default class Cut extends BaseCommand {
  static override summary = "from now on no packet passes between two ends of the lab's network";
  static override description =
    "Connections hang, as on a link that was pulled, until `lab heal` or `lab up`.";
  static override examples = ["<%= config.bin %> lab cut a b", "<%= config.bin %> lab cut controller a"];
  static override args = { one: end, other: end };
  static override flags = { name: labName };

  async run(): Promise<{ name: string; cut: [string, string] }> {
    const { args, flags } = await this.parse(Cut);
    const { runningLab } = await import("../../lab/status.js");
    const { cut } = await import("../../lab/cut.js");
    await cut(await runningLab(flags.name), args.one, args.other);
    this.log(`${args.one} and ${args.other} are cut off from each other`);
    return { name: flags.name, cut: [args.one, args.other] };
  }
}
