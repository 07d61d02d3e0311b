import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Journal, type Closing } from "../../../src/migration/journal.js";
import { findPredump, roundsOnly, takeablePredump } from "../../../src/migration/predump.js";
import { parsePlan } from "../../../src/plan/load.js";
import type { Plan } from "../../../src/plan/plan.js";

const text = [
  "version: 1",
  "nodes: { a: { ssh: a }, b: { ssh: b }, c: { ssh: c } }",
  "services: { counter: { image: i, command: [c] } }",
  "migrations: [{ service: counter, from: a, to: b, strategy: pre-copy }]",
].join("\n");
const planOf = (from = "", to = ""): Plan => parsePlan(text.replace(from, to), "p.yaml");
const id = "01JCXZ0000000000000000000A";
const other = "01JCXZ0000000000000000000B";
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fastmig-predump-"));
});
afterEach(() => rm(root, { recursive: true }));

async function journal(outcome: Closing | null, name = id): Promise<Journal> {
  const ends = { service: "counter", from: "a", to: "b" };
  const made = await Journal.create(
    root,
    {
      kind: "created",
      id: name,
      epoch: 3,
      ...ends,
      plan: "p.yaml",
      by: "me",
      pid: 7,
      keepSource: 0,
      sshConfig: null,
    },
    text,
  );
  if (outcome !== null) await made.append({ kind: "closed", outcome });
  return made;
}

function takeable(plan: Plan): Promise<Journal | null> {
  const [migration] = plan.migrations;
  if (migration === undefined) throw new Error("the plan has no migration");
  return takeablePredump(plan, migration, root, parsePlan);
}

describe("the predump to go on with", () => {
  test.each<[string, Closing | null, boolean]>([
    ["was left open", "predumped", true],
    ["is not one that was aborted", "rolled back", false],
    ["nor one that is done", "done", false],
    ["nor one whose program died", null, false],
  ])("%s", async (_title, outcome, found) => {
    await journal(outcome);
    expect((await takeable(planOf()))?.created.id).toBe(found ? id : undefined);
  });

  test("is the newest", async () => {
    await journal("predumped");
    await journal("predumped", other);
    expect((await takeable(planOf()))?.created.id).toBe(other);
  });

  test("is none of a service of that name on another machine", async () => {
    await journal("predumped");
    expect(await takeable(planOf("a: { ssh: a }", "a: { ssh: elsewhere }"))).toBeNull();
  });

  test.each([
    ["to: b,", "to: c,", "its way was a → b and is a → c"],
    ["b: { ssh: b }", "b: { ssh: d }", "its way was a → b and is a → b"],
    ["image: i", "image: j", "its plan has changed"],
    [", strategy: pre-copy", "", "its strategy is stop-and-copy"],
  ])("has to be as the plan is by now: %s → %s", async (from, to, differs) => {
    await journal("predumped");
    await expect(takeable(planOf(from, to))).rejects.toMatchObject({
      code: "PREDUMP_DIFFERS",
      exit: 2,
      message: `counter was predumped (migration ${id}), and ${differs} since: nothing can go on from it`,
    });
  });

  test("may want other budgets and rates", async () => {
    await journal("predumped");
    expect(await takeable(planOf("pre-copy }", "pre-copy, downtime: 1s, bandwidth: 1MB/s }"))).not.toBeNull();
  });

  test("to discard it, it need not be as the plan is", async () => {
    await journal("predumped");
    const plan = planOf("image: i", "image: j");
    const found = await findPredump(plan, plan.migrations[0] as Plan["migrations"][0], root, parsePlan);
    expect(found?.journal.created.id).toBe(id);
  });
});

describe("its journal", () => {
  test("is taken once; then it is open, by another process, with the plan of now", async () => {
    const [one, two] = [await journal("predumped"), await Journal.read(root, id)];
    expect([one.outcome, one.pid]).toEqual(["predumped", 7]);
    expect(await one.take("me", "new")).toBe(true);
    expect(await two.take("me", "new")).toBe(false);
    const again = await Journal.read(root, id);
    expect([again.outcome, again.pid]).toEqual([null, process.pid]);
    await again.append({ kind: "closed", outcome: "predumped" });
    expect(await again.take("me", "newer")).toBe(true);
  });
});

describe("what is predumped", () => {
  test("has rounds", () => {
    const plan = planOf(", strategy: pre-copy", "");
    expect(() => roundsOnly(plan, plan.migrations)).toThrow("p.yaml moves counter by stop-and-copy");
  });

  test("needs a kernel that tracks pages, whatever the plan says of a migration", () => {
    const plan = planOf("pre-copy }", "pre-copy, onUnsupported: stop-and-copy }");
    expect(roundsOnly(plan, plan.migrations)[0]?.precopy?.onUnsupported).toBe("abort");
  });
});
