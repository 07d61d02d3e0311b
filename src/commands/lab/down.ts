import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";

export default class Down extends BaseCommand {
  static override summary = "end a lab and remove all that it had";
  static override description = "Also cleans up after an `up` that was killed. Nothing to end is no error.";
  static override examples = ["<%= config.bin %> lab down", "<%= config.bin %> lab down --purge"];
  static override flags = {
    name: labName,
    purge: Flags.boolean({ summary: "also remove the cached root file system and images" }),
  };

  async run(): Promise<{ name: string; state: "down"; purged: boolean }> {
    const { flags } = await this.parse(Down);
    const { down, purge } = await import("../../lab/down.js");
    await down(flags.name);
    if (flags.purge) await purge();
    this.log(`lab ${flags.name} is down${flags.purge ? ", its caches are removed" : ""}`);
    return { name: flags.name, state: "down", purged: flags.purge };
  }
}
