import { expect, test } from "@jest/globals";
import { unknownCommand } from "../../../src/hooks/command-not-found.js";

const known = ["migrate", "plan check", "plan show", "gc"];

test.each([
  [["migarte"], "did you mean: fastmig migrate"],
  [["migarte", "plans/p.yaml"], "did you mean: fastmig migrate"],
  [["plan", "chekc", "p.yaml"], "did you mean: fastmig plan check"],
  [["frobnicate", "p.yaml"], "fastmig --help"],
])("%j → %s", (words, hint) => {
  expect(unknownCommand("fastmig", words, known)).toMatchObject({ hint: [hint], exit: 2 });
});
