import { expect, test } from "@jest/globals";
import { clockProblems } from "../../../../src/migration/preflight/clock.js";
import { status } from "../../../support/migration/facts.js";

const [process] = status.tree;
if (process === undefined) throw new Error("the tree is empty");
const tree = (...clocks: ("virtual" | "host")[]): typeof status.tree =>
  clocks.map((each, index) => ({ ...process, pid: 1000 + index, clocks: each }));
const found = (from: number, to: number, of: typeof status.tree | undefined): string[] =>
  clockProblems({ node: "a", uptime: from }, { node: "b", uptime: to }, of).map(({ message }) => message);

test.each([
  [100_000, 100_000],
  [100_000, 99_000],
  [10_000, 100_000],
])("from uptime %d to %d nothing jumps back, whoever's clock it is", (from, to) => {
  expect(found(from, to, tree("host"))).toEqual([]);
});

test("where the service has clocks of its own, uptimes say nothing", () => {
  expect(found(100_000, 10_000, tree("virtual", "virtual"))).toEqual([]);
});

test("whoever goes by the host's is named", () => {
  expect(found(100_000, 10_000, tree("virtual", "host"))).toEqual([
    "b has been up 90 s less than a: the monotonic clock of process 1001 (python3) would jump back, and its timers would wait that much longer",
  ]);
  expect(found(100_000, 10_000, tree("host", "host", "host", "host", "host"))[0]).toContain(
    "of processes 1000 (python3), 1001 (python3), 1002 (python3) and 2 more would",
  );
});

test("where no daemon says what runs, it counts", () => {
  expect(found(100_000, 10_000, undefined)[0]).toContain("of the service would jump back");
});
