import { describe, expect, test } from "@jest/globals";
import { blackoutOf, migrationReport } from "../../../src/migration/report.js";
import { preCopyParts, reportParts as parts } from "../../support/migration/report.js";

const { source, destination } = parts;

describe("the report", () => {
  test("its keys are an API: additive changes only", () => {
    expect(migrationReport(parts)).toMatchSnapshot();
  });

  test("with pre-copy it has every round, and the prediction against what came", () => {
    const { rounds, precopy } = migrationReport(preCopyParts);
    expect(rounds).toEqual(preCopyParts.source.rounds);
    expect(precopy).toMatchSnapshot();
  });

  const frozenAt = "2026-01-01T00:00:02.010Z";
  test.each([
    [
      "by the source's clock where it heard the answer",
      source,
      destination,
      { frozenAt, ms: 520, clock: "source" },
    ],
    [
      "else by both clocks",
      { ...source, timeline: { frozen: 10 } },
      destination,
      { frozenAt, ms: 515, clock: "both" },
    ],
    ["not without a freeze", { ...source, timeline: {} }, destination, null],
    ["not without an end", { ...source, timeline: { frozen: 10 } }, { ...destination, timeline: {} }, null],
  ])("blackout: %s", (_title, theirs, ours, blackout) => {
    expect(blackoutOf(theirs, ours)).toEqual(blackout);
  });

  test.each([
    [600, { budgetMs: 600, met: true }],
    [500, { budgetMs: 500, met: false }],
    [null, null],
  ])("a budget of %s", (budget, downtime) => {
    expect(migrationReport({ ...parts, budget }).downtime).toEqual(downtime);
  });
});
