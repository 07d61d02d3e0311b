import { expect, test } from "@jest/globals";
import { compareCriu } from "../../../../src/migration/preflight/criu.js";
import { compareVersions } from "../../../../src/versions.js";

test.each([
  ["4.2", "4.2", 0],
  ["4.10", "4.9", 1],
  ["4.1.1", "4.2", -1],
  ["4.2", "4.2.1", -1],
  ["4.2.0", "4.2", 0],
  ["4.2.1", "4.2", 1],
  ["5.4.2-rc1", "5.4.2", 0],
  ["", "4", -4],
])("%s against %s", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(Math.sign(sign));
});

test("the destination's CRIU may be newer, not older, and must do as much", () => {
  expect(
    compareCriu("a", { version: "4.2", features: [] }, "b", { version: "4.3", features: ["x"] }),
  ).toEqual([]);
  const problems = compareCriu("a", { version: "4.3", features: ["x"] }, "b", {
    version: "4.2.1",
    features: [],
  });
  expect(problems.map(({ message }) => message)).toEqual([
    "CRIU 4.2.1 in b's container is older than 4.3 in a's",
    "CRIU on b cannot do what it can on a: x",
  ]);
});
