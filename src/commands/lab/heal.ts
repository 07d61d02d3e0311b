import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";

const end = Args.string({ description: "a node's name, `controller` or `client`; without: every cut" });

export default class Heal extends BaseCommand {
  static override summary = "undo `lab cut`: between two ends, or everywhere";
  static override examples = ["<%= config.bin %> lab heal a b", "<%= config.bin %> lab heal"];
  static override args = { one: end, other: end };
  static override flags = { name: labName };

  async run(): Promise<{ name: string; healed: [string, string] | "all" }> {
    const { args, flags } = await this.parse(Heal);
    const { runningLab } = await import("../../lab/status.js");
    const { healed } = await import("../../lab/cut.js");
    const which = await healed(await runningLab(flags.name), args.one, args.other);
    this.log(which === "all" ? "every cut is healed" : `${which.join(" and ")} reach each other again`);
    return { name: flags.name, healed: which };
  }
}
