import { expect, test } from "@jest/globals";
import chalk from "chalk";
import { migrationReport } from "../../../src/migration/report.js";
import { reportText } from "../../../src/ui/report.js";
import { preCopyParts, reportParts } from "../../support/migration/report.js";

chalk.level = 0;

test("the report for people", () => {
  expect(
    reportText(migrationReport({ ...reportParts, warnings: ["the source is not cleaned up"] })),
  ).toMatchSnapshot();
});

test("the rounds of this run, those before it, and the prediction", () => {
  expect(reportText(migrationReport(preCopyParts))).toMatchSnapshot();
});

test("a missed budget, a relay with its reason, no blackout", () => {
  const late = reportText(
    migrationReport({ ...reportParts, budget: 300, mode: "relay", reason: "b has no transferPorts" }),
  );
  expect(late).toContain("the budget was 300ms");
  expect(late).toContain("relay at 1GB/s (b has no transferPorts)");
  expect(
    reportText(migrationReport({ ...reportParts, source: { ...reportParts.source, timeline: {} } })),
  ).toContain("not measured");
});
