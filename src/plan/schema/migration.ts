import * as z from "zod";
import { parseDuration, parseRate } from "../../units.js";
import { defaults } from "../defaults.js";
import { readName } from "../forms/names.js";
import { choice, formed, isObject, positive, whole } from "./leaf.js";

const duration = positive(parseDuration);
const rate = positive(parseRate);
const most = 1000;

const rounds = z
  .union([whole(1, most, {}), z.literal("auto")], {
    error: `has to be auto or a whole number from 1 to ${most}`,
  })
  .meta({
    description: "Most rounds of one run of the program; auto: until they do not get shorter",
    default: defaults.rounds,
  });

const bandwidth = z
  .union(
    [
      formed(rate, {}),
      z.strictObject({
        rounds: formed(rate, { description: "Of the rounds together" }).optional(),
        final: formed(rate, { description: "Of the final copy, while the service is frozen" }).optional(),
      }),
    ],
    { error: "has to be a rate (100MB/s) or a map of rounds and final" },
  )
  .meta({
    description:
      "Most bytes per second; a rate alone is that of the rounds (default: as fast as the line is)",
    examples: ["100MB/s", { rounds: "50MB/s", final: "80MB/s" }],
  });

const keys = z
  .strictObject({
    service: formed(readName, { description: "A service of this plan" }),
    from: formed(readName, { description: "The node it runs on" }),
    to: formed(readName, { description: "The node it moves to" }),
    strategy: choice(["stop-and-copy", "pre-copy"], {
      description: "How the memory is moved: frozen for the whole transfer, or copied ahead in rounds",
      default: defaults.strategy,
    }).optional(),
    rounds: rounds.optional(),
    downtime: formed(duration, {
      description:
        "Budget that the rounds work towards and the report is held against; with --strict a miss exits 8 (default: none)",
      examples: ["300ms"],
    }).optional(),
    onDivergence: choice(["switch", "throttle", "abort"], {
      description: "What is done where the rounds do not come down to the budget",
      default: defaults.onDivergence,
    }).optional(),
    onUnsupported: choice(["stop-and-copy", "abort"], {
      description: "What is done where the source's kernel cannot track written pages",
      default: defaults.onUnsupported,
    }).optional(),
    bandwidth: bandwidth.optional(),
    deadline: formed(duration, {
      description: "Longest time from the freeze to the end; the rounds have as long before it",
      default: defaults.deadline,
    }).optional(),
    lease: formed(duration, {
      description:
        "How long the service may stay frozen without verified progress before it resumes at the source",
      default: defaults.lease,
    }).optional(),
    transfer: choice(["auto", "direct", "relay"], {
      description:
        "auto: direct where preflight finds a way from node to node, else relay through this machine",
      default: defaults.transfer,
    }).optional(),
    tcp: choice(["close"], {
      description: "What becomes of TCP connections",
      default: defaults.tcp,
    }).optional(),
  })
  .meta({ description: "One service from one node to another" });

/** A key that would do nothing is refused. */
const belongsToPreCopy = (
  key: "rounds" | "onDivergence" | "onUnsupported",
): [(written: object) => boolean, object] => [
  (written) => !Object.hasOwn(written, key) || ("strategy" in written && written.strategy === "pre-copy"),
  { error: "goes with strategy: pre-copy only", path: [key], when: isObject },
];

export const WrittenMigration = keys
  .refine(...belongsToPreCopy("rounds"))
  .refine(...belongsToPreCopy("onDivergence"))
  .refine(...belongsToPreCopy("onUnsupported"));
export type WrittenMigration = z.infer<typeof WrittenMigration>;

export const WrittenOptions = z
  .strictObject({
    parallel: whole(1, most, { description: "Migrations at once", default: defaults.parallel }).optional(),
    perNode: whole(1, most, {
      description: "Migrations at once that touch the same node",
      default: defaults.perNode,
    }).optional(),
    onFailure: choice(["stop", "continue"], {
      description: "Whether further migrations start after one that failed",
      default: defaults.onFailure,
    }).optional(),
    keepSource: formed(parseDuration, {
      description: "How long the source's stopped container is kept after the migration",
      default: defaults.keepSource,
    }).optional(),
  })
  .meta({ description: "What holds for all migrations of the plan" });
export type WrittenOptions = z.infer<typeof WrittenOptions>;
