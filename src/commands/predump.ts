import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { Aborted } from "../migration/abort.js";
import type { Outcome } from "../migration/each.js";
import { clockFlag, connectFlags, connectOptions, migrateOptions, serviceFlag } from "../migration/flags.js";
import type { MigrateRequest, MigrationResult } from "../migration/migrate.js";
import { planArgument } from "../plan/argument.js";
import type { Plan, PlanMigration, Rounds } from "../plan/plan.js";

type Predumped = Exclude<MigrationResult, { outcome: "failed" }>;
type Options = Pick<MigrateRequest, "options" | "readPlan">;

export default class Predump extends BaseCommand {
  static override summary = "copy the memory of the plan's services ahead, in rounds; they go on serving";
  static override description =
    "Leaves the migrations open, each with its standby and the images of its rounds: a later `migrate` goes on from them. `abort ID` or --discard removes them.";
  static override examples = [
    "<%= config.bin %> predump plan.yaml --rounds 3",
    "<%= config.bin %> predump --rounds auto --service counter",
    "<%= config.bin %> predump plan.yaml --discard",
  ];
  static override args = { plan: planArgument };
  static override flags = {
    ...connectFlags,
    ...clockFlag,
    ...serviceFlag,
    rounds: Flags.string({
      description: "so many rounds; auto: until the downtime fits the budget, or they do not get shorter",
      default: "auto",
      helpValue: "N|auto",
    }),
    discard: Flags.boolean({ description: "remove what an earlier predump left", exclusive: ["rounds"] }),
  };

  readonly #open = new Set<string>();

  protected override whatIsLeft(): readonly string[] {
    return [...this.#open].map((id) => `fastmig abort ${id}`);
  }

  async run(): Promise<{ migrations: Predumped[] } | { discarded: Outcome<Aborted>[] }> {
    const { args, flags } = await this.parse(Predump);
    const [{ loadPlan, parsePlan: readPlan }, { chooseMigrations }] = await Promise.all([
      import("../plan/load.js"),
      import("../migration/choose.js"),
    ]);
    const plan = await loadPlan(args.plan);
    const migrations = chooseMigrations(plan, flags.service);
    const options = migrateOptions(flags, this.config.version);
    const connect = connectOptions(flags);
    if (flags.discard) return this.discard(plan, migrations, { options, readPlan }, connect);
    return this.make(plan, migrations, { options, readPlan, predump: roundsOf(flags.rounds) }, connect);
  }

  private async make(
    plan: Plan,
    migrations: readonly PlanMigration[],
    how: Options & { predump: Rounds },
    connect: ReturnType<typeof connectOptions>,
  ): Promise<{ migrations: Predumped[] }> {
    const [{ migrateAll }, { Nodes }, { openDisplay }, { throwFailures }, { roundsOnly }] = await Promise.all(
      [
        import("../migration/migrate.js"),
        import("../migration/nodes.js"),
        import("../ui/display.js"),
        import("../migration/outcome.js"),
        import("../migration/predump.js"),
      ],
    );
    const wanted = roundsOnly(plan, migrations);
    const nodes = new Nodes(plan, connect);
    const display = await openDisplay(this.jsonEnabled());
    const results = await migrateAll({
      ...{ plan, migrations: wanted, nodes, ...how },
      ...{ progress: display.progress, signal: this.interrupt },
      begun: (id) => this.#open.add(id),
      ended: (id) => this.#open.delete(id),
    }).finally(async () => {
      await display.end();
      await nodes.close();
    });
    const shown = results.filter((result): result is Predumped => result.outcome !== "failed");
    for (const result of shown) this.show(result);
    throwFailures(results);
    return { migrations: shown };
  }

  private show(result: Predumped): void {
    const name = `${result.service}: ${result.from} → ${result.to}`;
    if (result.outcome !== "predumped") return this.log(`${name}: ${result.outcome}`);
    this.log(`${name}: ${result.rounds.length} rounds made, migration ${result.id}: ${result.text}`);
  }

  private async discard(
    plan: Plan,
    migrations: readonly PlanMigration[],
    { options, readPlan }: Options,
    connect: ReturnType<typeof connectOptions>,
  ): Promise<{ discarded: Outcome<Aborted>[] }> {
    const [{ abort }, { forEachMigration }, { findPredump }, { withReopened }] = await Promise.all([
      import("../migration/abort.js"),
      import("../migration/each.js"),
      import("../migration/predump.js"),
      import("../migration/reopen.js"),
    ]);
    const found = await Promise.all(
      migrations.map((migration) => findPredump(plan, migration, options.journals, readPlan)),
    );
    const ids = found.flatMap((one) => (one === null ? [] : [one.journal.created.id]));
    const reopened = { options: { ...options, readPlan }, connect, alive: "refuse" as const };
    const discarded = await forEachMigration(ids, (id) => withReopened({ id, ...reopened }, abort));
    if (ids.length === 0) this.log("there is no predump of these services");
    for (const { result } of discarded) for (const line of result?.found ?? []) this.log(line);
    return { discarded };
  }
}

function roundsOf(text: string): Rounds {
  if (text === "auto") return text;
  const most = 1000;
  if (/^[1-9][0-9]{0,3}$/.test(text) && Number(text) <= most) return Number(text);
  throw new FastmigError(`--rounds: "${text}" is not auto or a whole number from 1 to ${most}`, {
    code: "BAD_FLAG",
    exit: exitCodes.usage,
  });
}
