import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { urlArgument } from "../../migration/image/flags.js";
import { exitCodes, FastmigError } from "../../errors.js";
import type { ListedImage } from "../../image/catalog.js";
import { readFlag } from "../../migration/flags.js";
import { durationForm, parseDuration } from "../../units.js";

export default class Prune extends BaseCommand {
  static override summary = "remove old images at a place, and right below it";
  static override description =
    "Of each service the newest --keep-last stay, and of the others those that are younger than --older-than.";
  static override examples = [
    "<%= config.bin %> image prune file:/srv/images --keep-last 3 --dry-run",
    "<%= config.bin %> image prune file:/srv/images --keep-last 1 --older-than 24h",
  ];
  static override args = { url: urlArgument };
  static override flags = {
    "keep-last": Flags.integer({ description: "how many of each service stay", min: 0, helpValue: "N" }),
    "older-than": Flags.string({ description: durationForm, helpValue: "DURATION" }),
    "dry-run": Flags.boolean({ description: "only say what would be removed", default: false }),
  };

  async run(): Promise<{ removed: ListedImage[]; dryRun: boolean }> {
    const { args, flags } = await this.parse(Prune);
    const { "keep-last": keepLast, "older-than": age, "dry-run": dryRun } = flags;
    if (keepLast === undefined && age === undefined) throw nothingNamed();
    const { pruneImages } = await import("../../image/catalog.js");
    const olderThan = age === undefined ? 0 : readFlag("--older-than", age, parseDuration);
    const removed = await pruneImages(args.url, process.env, {
      keepLast: keepLast ?? 0,
      olderThan,
      dryRun,
      now: new Date(),
    });
    for (const { url, createdAt } of removed)
      this.log(`${url}: ${dryRun ? "would be removed" : "removed"}, it is of ${createdAt}`);
    if (removed.length === 0) this.log("nothing is to be removed");
    return { removed, dryRun };
  }
}

function nothingNamed(): FastmigError {
  return new FastmigError("say what stays: --keep-last, --older-than, or both", {
    code: "NOTHING_TO_PRUNE",
    exit: exitCodes.usage,
  });
}
