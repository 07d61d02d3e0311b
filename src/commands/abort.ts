import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import type { Aborted } from "../migration/abort.js";
import { connectFlags, connectOptions, migrateOptions } from "../migration/flags.js";

export default class Abort extends BaseCommand {
  static override summary = "give a migration up, as long as the destination does not run";
  static override description = "The source keeps, or takes back, the service. Exits 2 where it is too late.";
  static override examples = ["<%= config.bin %> abort 01JCXZ0000000000000000000A"];
  static override args = { id: Args.string({ description: "the migration's id", required: true }) };
  static override flags = connectFlags;

  async run(): Promise<Aborted> {
    const { args, flags } = await this.parse(Abort);
    const { parsePlan: readPlan } = await import("../plan/load.js");
    const [{ abort }, { withReopened }] = await Promise.all([
      import("../migration/abort.js"),
      import("../migration/reopen.js"),
    ]);
    const aborted = await withReopened(
      {
        id: args.id,
        options: { ...migrateOptions(flags, this.config.version), readPlan },
        connect: connectOptions(flags),
        alive: "allow",
      },
      abort,
    );
    for (const line of aborted.found) this.log(line);
    return aborted;
  }
}
