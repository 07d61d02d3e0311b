import { describe, expect, test } from "@jest/globals";
import { fastmig } from "../support/fastmig.js";

const mistakes: [string, string[], string, string][] = [
  ["an unknown command", ["frobnicate"], "UNKNOWN_COMMAND", "fastmig --help"],
  ["a mistyped command", ["migarte", "p.yaml"], "UNKNOWN_COMMAND", "did you mean: fastmig migrate"],
  ["a mistyped subcommand", ["plan", "chekc"], "UNKNOWN_COMMAND", "did you mean: fastmig plan check"],
  [
    "an unknown flag",
    ["plan", "check", "p.yaml", "--frobnicate"],
    "UNKNOWN_FLAG",
    "fastmig plan check --help",
  ],
  ["a missing argument", ["abort"], "MISSING_ARGUMENT", "fastmig abort --help"],
  [
    "an argument too many",
    ["plan", "check", "p.yaml", "q.yaml"],
    "UNEXPECTED_ARGUMENT",
    "fastmig plan check --help",
  ],
];

describe.each(mistakes)("%s", (_, args, code, hint) => {
  test("exit 2, the next step on stderr, nothing on stdout", async () => {
    const { exit, stdout, stderr } = await fastmig(args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr.split("\n").at(-1)).toBe(`→ ${hint}`);
  });

  test("--json: stdout is that JSON, and short; stderr is silent", async () => {
    const { exit, stdout, stderr } = await fastmig([...args, "--json"]);
    expect({ exit, stderr }).toEqual({ exit: 2, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code, exit: 2, hint: [hint] } });
    expect(stdout.length).toBeLessThan(1000);
  });
});

test.each([
  ["log", ["log", "01JCXZ0000000000000000000A"]],
  ["status", ["status", "01JCXZ0000000000000000000A"]],
])("%s of a migration that was not begun here: which were is the next step", async (_, args) => {
  const { exit, stderr } = await fastmig(args);
  expect(exit).toBe(2);
  expect(stderr).toMatch(/^Error: there is no journal of a migration 01JCXZ0000000000000000000A here/);
  expect(stderr).toMatch(/→ `fastmig list` names those that were begun here/);
});

describe("colour", () => {
  const red = "\u001B[31m";
  const wrong = ["plan", "check", "/nonexistent.yaml"];
  const bare = { PATH: process.env.PATH ?? "", HOME: "/dev/null" };

  test("FORCE_COLOR colours the error even in a pipe", async () => {
    expect((await fastmig(wrong, { env: { ...bare, FORCE_COLOR: "1" } })).stderr).toContain(red);
  });

  test.each<Record<string, string>>([{ NO_COLOR: "1" }, { TERM: "dumb" }, {}])("%j: plain", async (env) => {
    expect((await fastmig(wrong, { env: { ...bare, ...env } })).stderr).not.toContain("\u001B");
  });
});
