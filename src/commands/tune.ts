import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { exitCodes, FastmigError } from "../errors.js";
import { connectFlags, connectOptions, migrateOptions, readFlag } from "../migration/flags.js";
import type { Change, Tuned } from "../migration/tune.js";
import { durationForm, formatDuration, formatRate, parseDuration, parseRate, rateForm } from "../units.js";

/** What takes a change back. */
const asPlanned = "plan";

export default class Tune extends BaseCommand {
  static override summary = "change the bandwidth or the downtime budget of a migration in its rounds";
  static override description =
    "Takes effect at once, in the program that works on it, and in the round that is under way. Also before a predump is gone on with.";
  static override examples = [
    "<%= config.bin %> tune 01JCXZ0000000000000000000A --bandwidth 50MB/s --downtime 500ms",
    "<%= config.bin %> tune 01JCXZ0000000000000000000A --bandwidth plan",
  ];
  static override args = { id: Args.string({ description: "the migration's id", required: true }) };
  static override flags = {
    ...connectFlags,
    bandwidth: Flags.string({
      description: `most bytes per second of the rounds: ${rateForm}; plan: as the plan has it`,
      helpValue: "RATE",
    }),
    downtime: Flags.string({
      description: `the budget: ${durationForm}; plan: as the plan has it`,
      helpValue: "DURATION",
    }),
  };

  async run(): Promise<Tuned> {
    const { args, flags } = await this.parse(Tune);
    const request: Change = {
      ...(flags.bandwidth !== undefined && { bandwidth: read("--bandwidth", flags.bandwidth, parseRate) }),
      ...(flags.downtime !== undefined && { downtime: read("--downtime", flags.downtime, parseDuration) }),
    };
    if (Object.keys(request).length === 0) throw nothingNamed();
    const { parsePlan: readPlan } = await import("../plan/load.js");
    const [{ tune }, { withReopened }] = await Promise.all([
      import("../migration/tune.js"),
      import("../migration/reopen.js"),
    ]);
    const options = { ...migrateOptions(flags, this.config.version), readPlan };
    const connect = connectOptions(flags, this.interrupt);
    const tuned = await withReopened({ id: args.id, options, connect, alive: "allow" }, (context) =>
      tune(context, request),
    );
    const { bandwidth, downtime } = tuned.tuning;
    this.log(`bandwidth of the rounds: ${bandwidth === null ? "as the plan has it" : formatRate(bandwidth)}`);
    this.log(`downtime: ${downtime === null ? "as the plan has it" : formatDuration(downtime)}`);
    return tuned;
  }
}

function read(flag: string, text: string, parse: (text: string) => number): number | null {
  return text === asPlanned ? null : readFlag(flag, text, parse);
}

function nothingNamed(): FastmigError {
  return new FastmigError("say what to change: --bandwidth, --downtime, or both", {
    code: "NOTHING_TO_TUNE",
    exit: exitCodes.usage,
  });
}
