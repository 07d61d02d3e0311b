import { describe, expect, test } from "@jest/globals";
import { exitCodes, FastmigError } from "../../../src/errors.js";
import { runSteps, type Step, type StepWatch } from "../../../src/migration/step.js";

type Log = string[];
const watch: StepWatch<Log> = { around: (_step, run) => run(), undone: () => undefined };
const inDoubt = new FastmigError("who knows", { code: "IN_DOUBT", exit: exitCodes.inDoubt });

function step(
  name: string,
  change: { final?: boolean; fails?: unknown; undo?: "none" | "fails" | "in doubt" } = {},
): Step<Log> {
  return {
    name,
    title: name,
    kind: change.final === true ? "final" : "reversible",
    run: (log, signal) => {
      log.push(signal === undefined ? `${name}!` : name);
      return change.fails === undefined ? Promise.resolve() : Promise.reject(change.fails);
    },
    ...(change.undo === "none" ? {} : { undo: (log: Log) => undo(log, name, change.undo) }),
  };
}

function undo(log: Log, name: string, how: string | undefined): Promise<string> {
  log.push(`undo ${name}`);
  if (how === undefined) return Promise.resolve(`${name} is gone`);
  return Promise.reject(how === "fails" ? new Error("no link") : inDoubt);
}

const oops = new Error("oops");

describe("runSteps", () => {
  test.each<{ title: string; steps: Step<Log>[]; log: string[]; result: object }>([
    {
      title: "all run in order, without the signal after a final one",
      steps: [step("a"), step("b", { final: true }), step("c")],
      log: ["a", "b!", "c!"],
      result: { kind: "done" },
    },
    {
      title: "a failure undoes the last first, the failed step too",
      steps: [step("a"), step("b"), step("c", { fails: oops })],
      log: ["a", "b", "c", "undo c", "undo b", "undo a"],
      result: {
        kind: "failed",
        step: "c",
        thrown: oops,
        final: false,
        leftovers: [],
        undone: [
          { step: "c", found: "c is gone" },
          { step: "b", found: "b is gone" },
          { step: "a", found: "a is gone" },
        ],
      },
    },
    {
      title: "a step without undo is passed over",
      steps: [step("a"), step("b", { undo: "none" }), step("c", { fails: oops, undo: "none" })],
      log: ["a", "b", "c", "undo a"],
      result: { kind: "failed", undone: [{ step: "a", found: "a is gone" }] },
    },
    {
      title: "after a final step nothing is undone",
      steps: [step("a"), step("b", { final: true }), step("c", { fails: oops })],
      log: ["a", "b!", "c!"],
      result: { kind: "failed", final: true, undone: [] },
    },
    {
      title: "a final step that fails undoes nothing either",
      steps: [step("a"), step("b", { final: true, fails: oops })],
      log: ["a", "b!"],
      result: { kind: "failed", final: true, undone: [] },
    },
    {
      title: "in doubt nothing is undone",
      steps: [step("a"), step("b", { fails: inDoubt })],
      log: ["a", "b"],
      result: { kind: "failed", thrown: inDoubt, undone: [] },
    },
    {
      title: "an undo that cannot say stops the undoing",
      steps: [step("a"), step("b", { undo: "in doubt" }), step("c", { fails: oops })],
      log: ["a", "b", "c", "undo c", "undo b"],
      result: { kind: "failed", thrown: inDoubt, undone: [{ step: "c", found: "c is gone" }] },
    },
    {
      title: "an undo that fails leaves something over, and the others go on",
      steps: [step("a"), step("b", { undo: "fails" }), step("c", { fails: oops })],
      log: ["a", "b", "c", "undo c", "undo b", "undo a"],
      result: { kind: "failed", thrown: oops, leftovers: [{ step: "b", found: "no link" }] },
    },
  ])("$title", async ({ steps, log, result }) => {
    const done: Log = [];
    expect(await runSteps(steps, done, watch, new AbortController().signal)).toMatchObject(result);
    expect(done).toEqual(log);
  });

  test("an abort between two steps undoes; after a final step it changes nothing", async () => {
    const before = new AbortController();
    const stop: Step<Log> = {
      ...step("stop"),
      run: (log) => Promise.resolve(log.push("stop")).then(() => before.abort(oops)),
    };
    const log: Log = [];
    expect(await runSteps([step("a"), stop, step("b")], log, watch, before.signal)).toMatchObject({
      kind: "failed",
      step: "b",
      thrown: oops,
    });
    expect(log).toEqual(["a", "stop", "undo stop", "undo a"]);
    expect(await runSteps([step("a", { final: true }), step("b")], log, watch, before.signal)).toEqual({
      kind: "done",
    });
  });
});
