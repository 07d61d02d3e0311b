import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { exitCodes, FastmigError, messageOf } from "../errors.js";
import { connectFlags, connectOptions, migrateOptions } from "../migration/flags.js";
import type { Collected } from "../migration/gc.js";
import { durationForm, parseDuration } from "../units.js";

/** Milliseconds: thirty days. */
const forgetAfter = "720h";

export default class Gc extends BaseCommand {
  static override summary = "remove what settled migrations left behind";
  static override description =
    "Source containers and logs on the nodes whose keepSource is over, and the journals of migrations settled long ago. What belongs to an unsettled migration stays.";
  static override examples = ["<%= config.bin %> gc", "<%= config.bin %> gc --older-than 24h"];
  static override flags = {
    ...connectFlags,
    "older-than": Flags.string({
      description: `forget journals that were settled longer ago: ${durationForm}`,
      default: forgetAfter,
      helpValue: "DURATION",
    }),
  };

  async run(): Promise<{ migrations: Collected[] }> {
    const { flags } = await this.parse(Gc);
    const { parsePlan: readPlan } = await import("../plan/load.js");
    const { collectAll } = await import("../migration/gc.js");
    const migrations = await collectAll(
      { ...migrateOptions(flags, this.config.version), readPlan },
      connectOptions(flags, this.interrupt),
      duration(flags["older-than"]),
    );
    for (const { id, removed, left } of migrations) {
      for (const what of removed) this.log(`${id}: removed ${what}`);
      for (const what of left) this.log(`${id}: kept ${what}`);
    }
    return { migrations };
  }
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new FastmigError(`--older-than: ${messageOf(cause)}`, {
      code: "BAD_DURATION",
      exit: exitCodes.usage,
      cause,
    });
  }
}
