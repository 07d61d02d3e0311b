import { existsSync } from "node:fs";
import { Args } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { connectFlags, connectOptions } from "../migration/flags.js";
import type { Unsettled } from "../migration/open-journals.js";
import type { Place } from "../migration/status.js";
import { defaultPlanPath } from "../plan/plan.js";

export default class Status extends BaseCommand {
  static override summary = "where the plan's services run, and which migrations are unsettled";
  static override description = "Without a plan: the migrations that were begun here and are not settled.";
  static override examples = ["<%= config.bin %> status plan.yaml", "<%= config.bin %> status --json"];
  static override args = {
    plan: Args.string({ description: `the plan file; default: ${defaultPlanPath}, where it is there` }),
  };
  static override flags = connectFlags;

  async run(): Promise<{ services: Place[]; unsettled: Unsettled[] }> {
    const { args, flags } = await this.parse(Status);
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
