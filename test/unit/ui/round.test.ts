import { expect, test } from "@jest/globals";
import { roundText } from "../../../src/ui/round.js";
import type { RoundLine } from "../../../src/migration/precopy/round-line.js";

const round: RoundLine = {
  ...{ number: 2, parent: 1, state: "done", pages: 4694, bytes: 19_226_624, ms: 196, frozenMs: 14 },
  ...{ dirtyRate: 6_010_000, rate: 98_100_000, predictedMs: 131, budgetMs: 300, failure: null },
};

test.each<[Partial<RoundLine>, string]>([
  [{}, "round 2: 4694 pages, 19.2MB at 98.1MB/s in 196ms, 6.01MB/s dirty; downtime 131ms of 300ms"],
  [{ budgetMs: null }, "round 2: 4694 pages, 19.2MB at 98.1MB/s in 196ms, 6.01MB/s dirty; downtime 131ms"],
  [
    { number: 1, parent: null, dirtyRate: null, predictedMs: null },
    "round 1: whole memory, 4694 pages, 19.2MB at 98.1MB/s in 196ms",
  ],
  [{ state: "failed", failure: "transfer: the link is gone" }, "round 2: failed: transfer: the link is gone"],
])("%j", (change, text) => {
  expect(roundText({ ...round, ...change })).toBe(text);
});
