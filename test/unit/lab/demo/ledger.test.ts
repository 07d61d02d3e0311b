import { describe, expect, test } from "@jest/globals";
import {
  type Acknowledged,
  contradictions,
  longestGap,
  parseLedger,
  stretches,
} from "../../../../src/lab/demo/ledger.js";
import { timelineLines } from "../../../../src/lab/demo/timeline.js";

const entry = (seq: number, at: number, address: string, n = seq): Acknowledged => ({ seq, n, at, address });
const moved = [entry(1, 1000, "a:1"), entry(2, 1002, "a:1"), entry(3, 1402, "b:1"), entry(4, 1404, "b:1")];

describe("ledger", () => {
  test("the longest gap is between two answers, whoever gave them", () => {
    expect(longestGap(moved)).toEqual({ length: 400, before: moved[1], after: moved[2] });
    expect(longestGap(moved.slice(0, 1))).toBeUndefined();
  });

  test("stretches follow the addresses", () => {
    expect(stretches(moved).map(({ address, writes }) => [address, writes])).toEqual([
      ["a:1", 2],
      ["b:1", 2],
    ]);
  });

  test("a counter that does not rise contradicts, one that jumps does not", () => {
    expect(contradictions([entry(1, 0, "a", 1), entry(2, 1, "b", 5)])).toEqual([]);
    expect(contradictions([entry(1, 0, "a", 7), entry(2, 1, "b", 7)])).toEqual(["a counted 7, then b 7"]);
  });

  test("a line that was cut off does not count", () => {
    expect(parseLedger(`${JSON.stringify(moved[0])}\n{"seq":2,`)).toEqual([moved[0]]);
  });

  test("the timeline names who answered", () => {
    expect(timelineLines(moved, new Map([["a:1", "node a"]]))).toEqual([
      "   0.000 s  node a answers",
      "   0.002 s  … its last of 2 answers",
      "   0.402 s  b:1 answers",
      "   0.404 s  … its last of 2 answers",
      "longest gap: 400ms, at 0.002 s",
    ]);
    expect(timelineLines([], new Map())).toEqual(["the client got no answers"]);
  });
});
