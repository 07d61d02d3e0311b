import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { ServiceSpec } from "../../../src/daemon/api.js";
import { defaults } from "../../../src/plan/defaults.js";
import { readName } from "../../../src/plan/forms/names.js";
import { loadPlan, parsePlan } from "../../../src/plan/load.js";
import { planSchemaText } from "../../../src/plan/schema/json-schema.js";
import { planJsonSchema } from "../../../src/plan/schema/written-plan.js";
import { planYaml, writtenPlan } from "../../../src/plan/write.js";

interface Schema {
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  description?: string;
  default?: unknown;
}

/** Every key of the schema as `nodes.*.host`, with what is said of it. */
function keysOf(schema: Schema, at = ""): [string, Schema][] {
  const inside = Object.entries(schema.properties ?? {}).flatMap(([key, one]): [string, Schema][] => [
    [`${at}${key}`, one],
    ...keysOf(one, `${at}${key}.`),
  ]);
  const named =
    typeof schema.additionalProperties === "object" ? keysOf(schema.additionalProperties, `${at}*.`) : [];
  return [...inside, ...named, ...(schema.items ? keysOf(schema.items, `${at}*.`) : [])];
}

function isWritten(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return value !== undefined;
  if (typeof value !== "object" || value === null) return false;
  const entries = step === "*" ? Object.values(value) : [(value as Record<string, unknown>)[step]];
  return entries.some((one) => isWritten(one, rest));
}

const schemaKeys = keysOf(planJsonSchema() as Schema);

describe("plans/reference.yaml", () => {
  test("is sound", async () => {
    const plan = await loadPlan("plans/reference.yaml");
    expect(Object.keys(plan.services)).toEqual(["counter", "store", "gateway"]);
  });

  test.each(schemaKeys.map(([key]) => key))("holds %s", async (key) => {
    expect(isWritten(parse(await readFile("plans/reference.yaml", "utf8")), key.split("."))).toBe(true);
  });

  test.each(schemaKeys.filter(([, { default: value }]) => value !== undefined && !Array.isArray(value)))(
    "names the default of %s",
    async (key, { default: value }) => {
      const name = key.split(".").at(-1) ?? "";
      const text = await readFile("plans/reference.yaml", "utf8");
      const before = text.split(new RegExp(`^ +${name}: `, "m")).slice(0, -1);
      const comments = before.map((part) => part.split("\n").slice(-5).join(" "));
      const said = new RegExp(`Default(, and the only one so far)?: ${String(value)}\\b`);
      expect(comments.filter((comment) => said.test(comment))).toHaveLength(1);
    },
  );
});

describe("the other plans", () => {
  test.each(["plans/two-nodes.yaml", "plans/smoke.yaml"])("%s is sound", async (path) => {
    expect((await loadPlan(path)).migrations).toHaveLength(1);
  });
});

describe("a plan written out", () => {
  test.each(["plans/reference.yaml", "plans/two-nodes.yaml", "plans/smoke.yaml"])(
    "%s reads back as the same plan",
    async (path) => {
      const plan = await loadPlan(path);
      const again = parsePlan(planYaml(plan), path);
      expect({ ...again, text: "" }).toEqual({ ...plan, text: "" });
      expect(writtenPlan(again)).toEqual(writtenPlan(plan));
    },
  );
});

describe("the JSON Schema", () => {
  test("is what docs/plan.schema.json holds (`fastmig plan schema > docs/plan.schema.json`)", async () => {
    expect(await readFile("docs/plan.schema.json", "utf8")).toBe(planSchemaText());
  });

  test("describes every key", () => {
    expect(schemaKeys.filter(([, { description }]) => !description).map(([key]) => key)).toEqual([]);
  });

  test("has the defaults that the program has", () => {
    const written = schemaKeys.flatMap(([key, { default: value }]) =>
      value === undefined ? [] : [[key, value]],
    );
    expect(Object.fromEntries(written)).toEqual({
      "nodes.*.port": defaults.sshPort,
      "nodes.*.sudo": false,
      "nodes.*.engine": defaults.engine,
      "services.*.virtualTime": defaults.virtualTime,
      "services.*.health.timeout": defaults.healthTimeout,
      "services.*.health.interval": defaults.healthInterval,
      migrations: [],
      "migrations.*.strategy": defaults.strategy,
      "migrations.*.rounds": defaults.rounds,
      "migrations.*.onDivergence": defaults.onDivergence,
      "migrations.*.onUnsupported": defaults.onUnsupported,
      "migrations.*.deadline": defaults.deadline,
      "migrations.*.lease": defaults.lease,
      "migrations.*.transfer": defaults.transfer,
      "migrations.*.tcp": defaults.tcp,
      "options.parallel": defaults.parallel,
      "options.perNode": defaults.perNode,
      "options.onFailure": defaults.onFailure,
      "options.keepSource": defaults.keepSource,
    });
  });
});

test.each(["a", "0", "a.b_c-d", "a".repeat(63), "a".repeat(64), "A", "-a", "_a", "", "a b", "a/b", "ä"])(
  "the daemon takes the name %j where the plan does",
  (name) => {
    const spec = { name, command: ["x"], env: {}, user: "root", workdir: "/srv" };
    expect(reads(name)).toBe(ServiceSpec.safeParse(spec).success);
  },
);

function reads(name: string): boolean {
  try {
    return readName(name) === name;
  } catch {
    return false;
  }
}
