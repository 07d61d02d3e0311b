import * as z from "zod";
import { parseDuration } from "../../units.js";
import { defaults } from "../defaults.js";
import { readName } from "../forms/names.js";
import { choice, formed, positive, whole } from "./leaf.js";

const duration = positive(parseDuration);
const most = 1000;

export const WrittenMigration = z
  .strictObject({
    service: formed(readName, { description: "A service of this plan" }),
    from: formed(readName, { description: "The node it runs on" }),
    to: formed(readName, { description: "The node it moves to" }),
    strategy: choice(["stop-and-copy"], {
      description: "How the memory is moved",
      default: defaults.strategy,
    }).optional(),
    downtime: formed(duration, {
      description: "Budget that the report is held against; with --strict a miss exits 8 (default: none)",
      examples: ["2s"],
    }).optional(),
    deadline: formed(duration, {
      description: "Longest time from the freeze to the end",
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
