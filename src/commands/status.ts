import { existsSync } from "node:fs";
import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import type { BothEnds } from "../migration/both-ends.js";
import { connectFlags, connectOptions, migrateOptions } from "../migration/flags.js";
import { isMigrationId } from "../migration/journal.js";
import type { Unsettled } from "../migration/open-journals.js";
import type { Place } from "../migration/status.js";
import { defaultPlanPath } from "../plan/plan.js";

export default class Status extends BaseCommand {
  static override summary =
    "where the plan's services run, which migrations are unsettled, or how one stands";
  static override description =
    "Without a plan: the migrations that were begun here and are not settled. With a migration's id: what both of its nodes say of it.";
  static override examples = [
    "<%= config.bin %> status plan.yaml",
    "<%= config.bin %> status 01JCXZ0000000000000000000A",
    "<%= config.bin %> status --json",
  ];
  static override args = {
    plan: Args.string({
      description: `the plan file, or a migration's id; default: ${defaultPlanPath}, where it is there`,
    }),
  };
  static override flags = connectFlags;

  async run(): Promise<{ services: Place[]; unsettled: Unsettled[] } | BothEnds> {
    const { args, flags } = await this.parse(Status);
    if (args.plan !== undefined && isMigrationId(args.plan) && !existsSync(args.plan))
      return this.bothEnds(args.plan, flags);
    const [{ unsettledMigrations }, { migrationsDirectory }, { statusText }] = await Promise.all([
      import("../migration/open-journals.js"),
      import("../migration/state-home.js"),
      import("../ui/status.js"),
    ]);
    const path = args.plan ?? (existsSync(defaultPlanPath) ? defaultPlanPath : undefined);
    const services = path === undefined ? [] : await this.places(path, connectOptions(flags, this.interrupt));
    const unsettled = await unsettledMigrations(migrationsDirectory());
    const text = statusText(services, unsettled);
    this.log(text === "" ? "no migration is unsettled" : text);
    return { services, unsettled };
  }

  private async bothEnds(id: string, flags: Parameters<typeof migrateOptions>[0]): Promise<BothEnds> {
    const [{ askBothEnds }, { withReopened }, { bothEndsText }, { parsePlan: readPlan }] = await Promise.all([
      import("../migration/both-ends.js"),
      import("../migration/reopen.js"),
      import("../ui/history.js"),
      import("../plan/load.js"),
    ]);
    const options = { ...migrateOptions(flags, this.config.version), readPlan };
    const connect = connectOptions(flags, this.interrupt);
    const ends = await withReopened({ id, options, connect, alive: "allow" }, askBothEnds);
    this.log(bothEndsText(ends));
    return ends;
  }

  private async places(path: string, connect: ReturnType<typeof connectOptions>): Promise<Place[]> {
    const [{ loadPlan }, { Nodes }, { statusOfPlan }] = await Promise.all([
      import("../plan/load.js"),
      import("../migration/nodes.js"),
      import("../migration/status.js"),
    ]);
    const plan = await loadPlan(path);
    const nodes = new Nodes(plan, connect);
    return statusOfPlan(plan, nodes).finally(() => nodes.close());
  }
}
