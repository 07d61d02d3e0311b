import { expect, test } from "@jest/globals";
import { quoteErrors } from "../../../src/criu/log.js";

const filler = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `(00.00${from + at}) info ${from + at}`);
const error = "(00.021) 1001: Error (criu/files-reg.c:2175): File srv/a has bad size 3 (expect 4)";

test("an error is quoted with the lines around it", () => {
  const log = [...filler(0, 20), error, ...filler(20, 20)].join("\n");
  expect(quoteErrors(log, { context: 2 })).toEqual([...filler(18, 2), error, ...filler(20, 2)]);
});

test("errors that are far apart have a gap between them, near ones share their context", () => {
  const log = [error, ...filler(0, 3), error, ...filler(3, 30), error].join("\n");
  expect(quoteErrors(log, { context: 2 })).toEqual([
    error,
    ...filler(0, 3),
    error,
    ...filler(3, 2),
    "…",
    ...filler(31, 2),
    error,
  ]);
});

test("the quotation is bounded, in lines and in their length", () => {
  const quoted = quoteErrors(Array.from({ length: 1000 }, () => `${error}${"x".repeat(1000)}`).join("\n"), {
    most: 10,
  });
  expect(quoted).toHaveLength(10);
  expect(quoted.at(-1)).toBe("… 991 more lines");
  expect(Math.max(...quoted.map((line) => line.length))).toBe(500);
});

test("a log without an error gives its last lines, an empty one none", () => {
  expect(quoteErrors([...filler(0, 20), ""].join("\n"))).toEqual(filler(14, 6));
  expect(quoteErrors("")).toEqual([]);
});
