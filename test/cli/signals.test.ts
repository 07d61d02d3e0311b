import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { root } from "../support/fastmig.js";

/** Runs the waiting command, sends the signals one after the other, each once the last line of output has come. */
async function signalled(args: string[], ...signals: NodeJS.Signals[]) {
  const running = execa(process.execPath, [join(root, "test/support/waiting-command.js"), ...args], {
    reject: false,
    stdin: "ignore",
  });
  const lines = running.iterable({ from: "stderr" })[Symbol.asyncIterator]();
  for (const signal of signals) {
    await lines.next();
    running.kill(signal);
  }
  return running;
}

describe("the first signal", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends the command at its next safe point: exit %i", async (signal, exit) => {
    const { exitCode, stderr, stdout } = await signalled([], signal);
    expect({ exitCode, stdout }).toEqual({ exitCode: exit, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "waiting",
      `${signal}: stopping at the next safe point; once more to stop at once`,
      `Error: interrupted by ${signal}`,
    ]);
  });

  test("with --json: the interruption as JSON on stdout", async () => {
    const { exitCode, stdout } = await signalled(["--json"], "SIGTERM");
    expect(exitCode).toBe(143);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INTERRUPTED", exit: 143 } });
  });
});

describe("the second signal", () => {
  test("ends a command that does not stop, and says what is left", async () => {
    const { exitCode, stderr } = await signalled(["--deaf"], "SIGTERM", "SIGINT");
    expect(exitCode).toBe(130);
    expect(stderr.split("\n").slice(-2)).toEqual([
      "SIGINT again: stopped at once",
      "  node b: container counter",
    ]);
  });
});
