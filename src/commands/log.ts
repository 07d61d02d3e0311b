import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import type { Recorded } from "../migration/journal.js";

export default class Log extends BaseCommand {
  static override summary = "what a migration did, step by step, from its journal";
  static override description = "Asks no node. `fastmig list` names the migrations.";
  static override examples = ["<%= config.bin %> log 01JCXZ0000000000000000000A"];
  static override args = { id: Args.string({ description: "the migration's id", required: true }) };

  async run(): Promise<{ id: string; directory: string; entries: Recorded[] }> {
    const { args } = await this.parse(Log);
    const [{ Journal }, { migrationsDirectory }, { logText }] = await Promise.all([
      import("../migration/journal.js"),
      import("../migration/state-home.js"),
      import("../ui/history.js"),
    ]);
    const { directory, entries } = await Journal.read(migrationsDirectory(), args.id);
    this.log(logText(entries));
    this.log(`plan, journal and report: ${directory}`);
    return { id: args.id, directory, entries };
  }
}
