import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { Outcome } from "../migration/each.js";
import { connectFlags, connectOptions, migrateOptions, unhealthyFlag } from "../migration/flags.js";
import type { Resumed } from "../migration/resume.js";

export default class Resume extends BaseCommand {
  static override summary = "finish a migration whose program is gone";
  static override description =
    "Asks both nodes and goes forward where the source let go of the service, back where it did not. Exits 5 where it went back and 6 where nobody can say yet.";
  static override examples = [
    "<%= config.bin %> resume 01JCXZ0000000000000000000A",
    "<%= config.bin %> resume 01JCXZ0000000000000000000A --accept-unhealthy",
    "<%= config.bin %> resume --all",
  ];
  static override args = { id: Args.string({ description: "the migration's id" }) };
  static override flags = {
    ...connectFlags,
    ...unhealthyFlag,
    all: Flags.boolean({ description: "every migration that was begun here and is not settled" }),
  };

  async run(): Promise<{ migrations: Outcome<Resumed>[] }> {
    const { args, flags } = await this.parse(Resume);
    const { parsePlan: readPlan } = await import("../plan/load.js");
    if ((args.id === undefined) === !flags.all)
      throw new FastmigError("say which migration: an id, or --all", {
        code: "ID_NEEDED",
        exit: exitCodes.usage,
        hint: "`fastmig list` names them",
      });
    const [{ forEachMigration }, { resumeById }, { unsettledMigrations }, { openDisplay }] =
      await Promise.all([
        import("../migration/each.js"),
        import("../migration/resume.js"),
        import("../migration/open-journals.js"),
        import("../ui/display.js"),
      ]);
    const options = { ...migrateOptions(flags, this.config.version), readPlan };
    const ids =
      args.id === undefined
        ? (await unsettledMigrations(options.journals))
            .filter(({ state }) => state !== "predumped")
            .map(({ id }) => id)
        : [args.id];
    const display = await openDisplay(this.jsonEnabled());
    const migrations = await forEachMigration(ids, (id) =>
      resumeById(id, options, connectOptions(flags), display.progress),
    ).finally(() => display.end());
    for (const { id, result } of migrations) await this.show(id, result);
    return { migrations };
  }

  private async show(id: string, resumed: Resumed | null): Promise<void> {
    this.log(`${id}: ${resumed?.outcome ?? "not settled"}`);
    if (resumed?.outcome !== "finished") return;
    const { reportText } = await import("../ui/report.js");
    if (resumed.report !== null) this.log(reportText(resumed.report));
    else for (const warning of resumed.warnings) this.log(`  warning: ${warning}`);
  }
}
