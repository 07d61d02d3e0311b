import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";
import type { LabStatus } from "../../lab/status.js";

export default class Status extends BaseCommand {
  static override summary = "say whether a lab is up, and which of its nodes answer";
  static override examples = ["<%= config.bin %> lab status", "<%= config.bin %> lab status --json"];
  static override flags = { name: labName };

  async run(): Promise<LabStatus> {
    const { flags } = await this.parse(Status);
    const { status } = await import("../../lab/status.js");
    const { statusLines } = await import("../../lab/summary.js");
    const found = await status(flags.name);
    for (const line of statusLines(found)) this.log(line);
    return found;
  }
}
