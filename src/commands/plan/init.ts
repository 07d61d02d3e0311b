import { join } from "node:path";
import { BaseCommand } from "../../base-command.js";
import { planArgument } from "../../plan/argument.js";

export default class Init extends BaseCommand {
  static override summary = "write a commented plan to start from";
  static override description = "Never overwrites a file.";
  static override examples = ["<%= config.bin %> plan init", "<%= config.bin %> plan init drain-a.yaml"];
  static override args = { plan: planArgument };

  async run(): Promise<{ path: string }> {
    const { args } = await this.parse(Init);
    const { writeStarter } = await import("../../plan/starter.js");
    await writeStarter(args.plan, join(this.config.root, "plans", "two-nodes.yaml"));
    this.log(
      `${args.plan} is written: put your hosts and services in, then run: fastmig plan check ${args.plan}`,
    );
    return { path: args.plan };
  }
}
