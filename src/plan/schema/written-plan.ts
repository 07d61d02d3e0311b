import * as z from "zod";
import { readName } from "../forms/names.js";
import { formed } from "./leaf.js";
import { WrittenMigration, WrittenOptions } from "./migration.js";
import { WrittenNode } from "./node.js";
import { WrittenService } from "./service.js";

const name = formed(readName, { description: "A name of your choice" });

function hasSome(entries: object): boolean {
  return Object.keys(entries).length > 0;
}

/** What YAML may say. Everything that needs more than one key to judge is a rule (rules/). */
export const WrittenPlan = z
  .strictObject({
    version: z
      .literal(1, "has to be 1: this is the version that this program reads")
      .meta({ description: "The plan format's version" }),
    nodes: z
      .record(name, WrittenNode)
      .refine(hasSome, "has no nodes")
      .meta({ description: "Machines, by name" }),
    services: z
      .record(name, WrittenService)
      .refine(hasSome, "has no services")
      .meta({ description: "Services, by name" }),
    migrations: z.array(WrittenMigration).meta({ description: "What moves where", default: [] }).optional(),
    options: WrittenOptions.optional(),
  })
  .meta({ title: "fastmig plan", description: "Which services move between which nodes, and how" });
export type WrittenPlan = z.infer<typeof WrittenPlan>;

/** JSON Schema (draft 2020-12) of a written plan, for editors. */
export function planJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(WrittenPlan, { io: "input" });
}
