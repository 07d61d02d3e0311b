import { describe, expect, test } from "@jest/globals";
import { FastmigError, exitCodes } from "../../src/errors.js";
import { failureLines, failureOf } from "../../src/failure.js";

const context = {
  userAgent: "fastmig/1.2.3 linux-x64 node-v24.0.0",
  help: "fastmig migrate --help",
  bugs: "https://example.org/bugs",
};

/** As oclif's parser throws them: a class name, a message with a table, an exit code. */
class NonExistentFlagsError extends Error {
  readonly oclif = { exit: 2 };
}

describe("failureOf", () => {
  test("an expected error keeps every fact", () => {
    const error = new FastmigError("host key of a changed", {
      code: "HOST_KEY_CHANGED",
      exit: exitCodes.unreachable,
      details: ["known: SHA256:one", "shown: SHA256:two"],
      hint: "ssh-keygen -R a",
    });
    expect(failureOf(error, context)).toEqual({
      code: "HOST_KEY_CHANGED",
      message: "host key of a changed",
      details: ["known: SHA256:one", "shown: SHA256:two"],
      hint: ["ssh-keygen -R a"],
      exit: 4,
    });
  });

  test("a wrong command line: exit 2, its lines as details, the help as the next step", () => {
    const error = new NonExistentFlagsError("Nonexistent flag: --frobnicate\nSee more help with --help");
    expect(failureOf(error, context)).toEqual({
      code: "UNKNOWN_FLAG",
      message: "Nonexistent flag: --frobnicate",
      details: [],
      hint: ["fastmig migrate --help"],
      exit: 2,
    });
  });

  test("anything else is a bug: stack, version, where to report", () => {
    const failure = failureOf(new TypeError("x is not a function"), context);
    expect(failure).toMatchObject({
      code: "UNEXPECTED",
      exit: 1,
      message: "unexpected: x is not a function",
    });
    expect(failure.details[0]).toMatch(/^at .*failure\.test/);
    expect(failure.details.at(-1)).toBe(context.userAgent);
    expect(failure.hint.join()).toContain(context.bugs);
  });

  test("what is thrown need not be an error", () => {
    expect(failureOf("gone", context)).toMatchObject({ message: "unexpected: gone", exit: 1 });
  });
});

describe("failureLines", () => {
  test("message, indented details, hints with an arrow", () => {
    const failure = {
      code: "X",
      message: "it broke",
      details: ["one\ntwo", ""],
      hint: ["do this"],
      exit: 5,
    } as const;
    expect(failureLines(failure)).toEqual(["Error: it broke", "  one", "  two", "", "→ do this"]);
  });
});
