import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { connectFlags, connectOptions, migrateOptions } from "../migration/flags.js";
import type { Kept } from "../migration/resolve.js";

export default class Resolve extends BaseCommand {
  static override summary = "say who keeps a service, where one node cannot be asked any more";
  static override description =
    "Your word stands for the node that is gone. If it is wrong, two copies run: fence that node first (power off, or no way to start its container).";
  static override examples = [
    "<%= config.bin %> resolve 01JCXZ0000000000000000000A --keep destination --i-have-fenced a",
  ];
  static override args = { id: Args.string({ description: "the migration's id", required: true }) };
  static override flags = {
    ...connectFlags,
    keep: Flags.option({
      description: "who has the service from now on",
      options: ["source", "destination"] as const,
      required: true,
    })(),
    "i-have-fenced": Flags.string({
      description: "the other node, which cannot run the service any more",
      required: true,
      helpValue: "NODE",
    }),
  };

  async run(): Promise<{ id: string; keep: string } & Kept> {
    const { args, flags } = await this.parse(Resolve);
    const { parsePlan: readPlan } = await import("../plan/load.js");
    const [{ resolve }, { withReopened }] = await Promise.all([
      import("../migration/resolve.js"),
      import("../migration/reopen.js"),
    ]);
    const request = {
      id: args.id,
      options: { ...migrateOptions(flags, this.config.version), readPlan },
      connect: connectOptions(flags),
      alive: "refuse" as const,
    };
    const kept = await withReopened(request, (context) =>
      resolve(context, flags.keep, flags["i-have-fenced"]),
    );
    const other = flags["i-have-fenced"];
    this.log(`${args.id}: the ${flags.keep} keeps the service (${kept.migration.state})`);
    if (kept.service !== "running" && kept.service !== null)
      this.log("nothing of its memory is left: `fastmig start PLAN` starts it from scratch");
    this.log(`once ${other} answers again: \`fastmig resume ${args.id}\` clears up there`);
    return { id: args.id, keep: flags.keep, ...kept };
  }
}
