import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { fastmig, root } from "../support/fastmig.js";

const wrong = "version: 1\nnodes: { a: { hots: x } }\nservices: { s: { image: 1.10, command: [x] } }\n";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-plan-"));
  await writeFile(join(directory, "wrong.yaml"), wrong);
});
afterAll(() => rm(directory, { recursive: true }));

describe("plan check", () => {
  test("a sound plan: exit 0, what it holds", async () => {
    const ended = await fastmig(["plan", "check", "plans/reference.yaml"]);
    expect(ended).toEqual({ exit: 0, stdout: "ok: 3 services, 2 migrations", stderr: "" });
  });

  test("--json", async () => {
    const { exit, stdout, stderr } = await fastmig(["plan", "check", "plans/two-nodes.yaml", "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, ok: true, services: 1, migrations: 1 });
  });

  test("a wrong plan: exit 2, every problem with its place", async () => {
    const ended = await fastmig(["plan", "check", "wrong.yaml"], { cwd: directory });
    expect(ended).toEqual({
      exit: 2,
      stdout: "",
      stderr: [
        "Error: the plan wrong.yaml has 3 problems",
        "  wrong.yaml:2:13 nodes.a: needs exactly one of host, ssh",
        "  wrong.yaml:2:15 nodes.a.hots: unknown key; did you mean host?",
        '  wrong.yaml:3:25 services.s.image: 1.10 is not text here; quote it: "1.10"',
        "→ every key with its meaning: plans/reference.yaml; fastmig plan schema prints a schema for editors",
      ].join("\n"),
    });
  });

  test("a wrong plan with --json: the problems are details", async () => {
    const { exit, stdout } = await fastmig(["plan", "check", "wrong.yaml", "--json"], { cwd: directory });
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: "PLAN_INVALID",
        exit: 2,
        details: expect.arrayContaining([expect.stringMatching(/^wrong\.yaml:2:13 /)]),
      },
    });
  });

  test("without a name it is ./fastmig.yaml, and a missing one is said", async () => {
    const { exit, stderr } = await fastmig(["plan", "check"], { cwd: directory });
    expect({ exit, stderr }).toEqual({
      exit: 2,
      stderr:
        "Error: there is no plan ./fastmig.yaml\n→ fastmig plan init ./fastmig.yaml writes one to start from",
    });
  });
});

describe("plan init", () => {
  test("writes a plan that check takes, and never overwrites", async () => {
    const first = await fastmig(["plan", "init"], { cwd: directory });
    expect(first).toEqual({
      exit: 0,
      stdout:
        "./fastmig.yaml is written: put your hosts and services in, then run: fastmig plan check ./fastmig.yaml",
      stderr: "",
    });
    expect(await fastmig(["plan", "check"], { cwd: directory })).toMatchObject({
      exit: 0,
      stdout: "ok: 1 service, 1 migration",
    });
    expect(await fastmig(["plan", "init"], { cwd: directory })).toMatchObject({
      exit: 2,
      stdout: "",
      stderr:
        "Error: ./fastmig.yaml exists and is left as it is\n→ name another file: fastmig plan init PATH",
    });
  });

  test("--json names the file", async () => {
    const { stdout } = await fastmig(["plan", "init", "other.yaml", "--json"], { cwd: directory });
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, path: "other.yaml" });
  });
});

describe("plan show", () => {
  test("the keys of --json are an API", async () => {
    const { exit, stdout } = await fastmig(["plan", "show", "plans/two-nodes.yaml", "--json"]);
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toMatchSnapshot();
  });

  test("its YAML is a plan that shows the same again", async () => {
    const first = await fastmig(["plan", "show", "plans/reference.yaml"]);
    await writeFile(join(directory, "shown.yaml"), first.stdout);
    expect(await fastmig(["plan", "show", "shown.yaml"], { cwd: directory })).toEqual(first);
  });

  test("it ends with the steps that migrate runs, as comments", async () => {
    const [shown, dry] = await Promise.all([
      fastmig(["plan", "show", "plans/two-nodes.yaml"]),
      fastmig(["migrate", "plans/two-nodes.yaml", "--dry-run"]),
    ]);
    const comments = shown.stdout.split("\n").filter((line) => line.startsWith("# "));
    expect(comments.map((line) => line.slice(2)).join("\n")).toBe(dry.stdout);
  });
});

test("plan schema prints docs/plan.schema.json", async () => {
  const { exit, stdout } = await fastmig(["plan", "schema"]);
  expect(exit).toBe(0);
  expect(`${stdout}\n`).toBe(await readFile(join(root, "docs/plan.schema.json"), "utf8"));
});
