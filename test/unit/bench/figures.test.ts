import { expect, test } from "@jest/globals";
import { median, minimum, row, table } from "../../../bench/figures.js";

test("the median is the middle, or between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(minimum([3, 1, 2])).toBe(1);
});

test("a figure on its bar holds, one above does not, and one without a bar is only told", () => {
  expect(
    [row("a", 5, "ms", 5), row("b", 5.001, "ms", 5), row("c", 5, "ms", null)].map(({ holds }) => holds),
  ).toEqual([true, false, null]);
});

test("the table stands in columns", () => {
  expect(table([row("one", 1.234, "ms", 2, "a note"), row("longer", 10, "MB", 9)])).toBe(
    [
      "figure           bar     holds",
      "one     1.23 ms  ≤ 2 ms  yes    a note",
      "longer  10 MB    ≤ 9 MB  NO",
    ].join("\n"),
  );
});
