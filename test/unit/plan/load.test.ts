import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { FastmigError } from "../../../src/errors.js";
import { loadPlan, parsePlan } from "../../../src/plan/load.js";
import { writeStarter } from "../../../src/plan/starter.js";
import { base } from "./support.js";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-plan-"));
});
afterAll(() => rm(directory, { recursive: true }));

describe("the file", () => {
  test("a sound one", async () => {
    const path = join(directory, "sound.yaml");
    await writeFile(path, base);
    expect(await loadPlan(path)).toEqual(parsePlan(base, path));
  });

  test("a missing one", async () => {
    const path = join(directory, "missing.yaml");
    await expect(loadPlan(path)).rejects.toMatchObject({
      message: `there is no plan ${path}`,
      code: "PLAN_NOT_FOUND",
      exit: 2,
      hint: [`fastmig plan init ${path} writes one to start from`],
    });
  });

  test("a directory", async () => {
    await expect(loadPlan(directory)).rejects.toMatchObject({
      message: `the plan ${directory} cannot be read: it is a directory`,
      code: "PLAN_UNREADABLE",
      exit: 2,
    });
  });

  test("a path through a file", async () => {
    const path = join(directory, "file");
    await writeFile(path, "");
    await expect(loadPlan(join(path, "plan.yaml"))).rejects.toMatchObject({
      code: "PLAN_UNREADABLE",
      exit: 2,
    });
  });

  test("no text", async () => {
    const path = join(directory, "binary.yaml");
    await writeFile(path, Buffer.from([0xff, 0xfe, 0x00]));
    await expect(loadPlan(path)).rejects.toMatchObject({
      message: `the plan ${path} is not UTF-8 text`,
      code: "PLAN_UNREADABLE",
    });
  });

  test("a wrong one: its path stands before every problem", async () => {
    const path = join(directory, "wrong.yaml");
    await writeFile(path, "version: 1\nnodes: {}\n");
    await expect(loadPlan(path)).rejects.toMatchObject({
      message: `the plan ${path} has 2 problems`,
      code: "PLAN_INVALID",
      exit: 2,
      details: [`${path}:1:1 services: is missing`, `${path}:2:8 nodes: has no nodes`],
    });
  });
});

describe("a plan to start from", () => {
  test("is a copy of the template", async () => {
    const path = join(directory, "started.yaml");
    await writeStarter(path, "plans/two-nodes.yaml");
    expect(Object.keys((await loadPlan(path)).services)).toEqual(["counter"]);
  });

  test("overwrites nothing", async () => {
    const path = join(directory, "mine.yaml");
    await writeFile(path, base);
    await expect(writeStarter(path, "plans/two-nodes.yaml")).rejects.toMatchObject({
      message: `${path} exists and is left as it is`,
      code: "PLAN_EXISTS",
      exit: 2,
    });
    expect((await loadPlan(path)).text).toBe(base);
  });

  test("a directory that is not there", async () => {
    const path = join(directory, "none", "plan.yaml");
    await expect(writeStarter(path, "plans/two-nodes.yaml")).rejects.toMatchObject({
      code: "PLAN_NOT_WRITTEN",
      exit: 2,
    });
  });

  test("can be changed even where the installed template is read-only", async () => {
    const template = join(directory, "template.yaml");
    await writeFile(template, base);
    await chmod(template, 0o444);
    await mkdir(join(directory, "sub"));
    const path = join(directory, "sub", "plan.yaml");
    await writeStarter(path, template);
    await writeFile(path, base);
  });
});

describe("whatever the text, only a FastmigError with places is thrown", () => {
  const words = [
    "version",
    "nodes",
    "services",
    "migrations",
    "options",
    "a",
    "host",
    "health",
    "1",
    "1.10",
    "~",
    "",
    "*x",
    "&x",
    "!!x",
    "<<",
    "x y",
  ];
  const yamlish = fc
    .array(
      fc.tuple(
        fc.nat(3),
        fc.constantFrom(...words),
        fc.constantFrom(": ", ":\n", "- ", "[", "]", "{ ", " }", ", ", "\n", "# ", "? ", "| "),
      ),
    )
    .map((parts) =>
      parts
        .map(([indent, word, mark]) => `${mark === "\n" ? "\n" + " ".repeat(indent) : ""}${word}${mark}`)
        .join(""),
    );
  const mutated = fc
    .tuple(fc.nat(base.length), fc.nat(12), fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom(...words)))
    .map(([at, length, put]) => base.slice(0, at) + put + base.slice(at + length));
  const value = fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.stringify(json));
  const inPlace = fc
    .tuple(fc.constantFrom("nodes", "services", "migrations", "options"), value)
    .map(([key, json]) => `version: 1\n${key}: ${json}\n`);

  test("500 of them", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), yamlish, mutated, value, inPlace), (text) => {
        const problems = outcomeOf(text);
        expect(problems.every((line) => /^p\.yaml:[1-9][0-9]*:[1-9][0-9]* \S.*: \S.*$/.test(line))).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
  });
});

/** The problems, none where the text is a sound plan; anything but PLAN_INVALID is thrown on. */
function outcomeOf(text: string): readonly string[] {
  try {
    expect(parsePlan(text, "p.yaml").text).toBe(text);
    return [];
  } catch (thrown) {
    if (thrown instanceof FastmigError && thrown.code === "PLAN_INVALID" && thrown.details.length > 0)
      return thrown.details;
    throw thrown;
  }
}
