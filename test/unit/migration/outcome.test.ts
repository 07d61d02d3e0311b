import { describe, expect, test } from "@jest/globals";
import { exitCodes, FastmigError, type ExitCode } from "../../../src/errors.js";
import type { MigrationResult } from "../../../src/migration/migrate.js";
import { throwFailures, throwMissedBudgets } from "../../../src/migration/outcome.js";
import { migrationReport } from "../../../src/migration/report.js";
import { reportParts } from "../../support/migration/report.js";

const ends = { service: "counter", from: "a", to: "b" };
const done = (budget: number | null): MigrationResult => ({
  ...ends,
  outcome: "migrated",
  report: migrationReport({ ...reportParts, budget }),
  warnings: [],
});
const failed = (exit: ExitCode, message = "no"): MigrationResult => ({
  ...ends,
  outcome: "failed",
  error: new FastmigError(message, {
    code: "X",
    exit,
    hint: ["mend it", "counter serves on a"],
    details: ["why"],
  }),
});

describe("throwFailures", () => {
  test("nothing failed", () => {
    expect(() => throwFailures([done(null), { ...ends, outcome: "already there" }])).not.toThrow();
  });

  test("a single migration's error speaks for itself", () => {
    expect(() => throwFailures([failed(exitCodes.locked)])).toThrow(
      expect.objectContaining({ message: "no", exit: 7 }),
    );
  });

  test("of several the worst exit code counts, and each is listed with where its service stands", () => {
    const results = [
      done(null),
      failed(exitCodes.preflight, "first"),
      failed(exitCodes.inDoubt, "second"),
      { ...ends, outcome: "not begun" as const },
    ];
    expect(() => throwFailures(results)).toThrow(
      expect.objectContaining({
        message: "2 of 4 migrations failed",
        exit: 6,
        details: [
          "counter: a → b: migrated",
          "counter: a → b: first",
          "  why",
          "counter: a → b: second",
          "  why",
          "counter: a → b: not begun",
        ],
        hint: ["counter serves on a", "counter serves on a"],
      }),
    );
  });

  test("what nobody expected stays a bug", () => {
    const bug = new TypeError("oops");
    expect(() => throwFailures([{ ...ends, outcome: "failed", error: bug }])).toThrow(bug);
    expect(() => throwFailures([done(null), { ...ends, outcome: "failed", error: bug }])).toThrow(
      expect.objectContaining({ code: "UNEXPECTED", exit: 1 }),
    );
  });
});

test.each([
  [null, false],
  [600, false],
  [300, true],
])("a budget of %s ms is missed by 520 ms: %s", (budget, missed) => {
  const look = (): void => throwMissedBudgets([done(budget)]);
  if (missed) expect(look).toThrow(expect.objectContaining({ code: "BUDGET_MISSED", exit: 8 }));
  else expect(look).not.toThrow();
});
