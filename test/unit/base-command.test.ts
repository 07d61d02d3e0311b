import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { Args, Config, Flags } from "@oclif/core";
import { BaseCommand, schemaVersion } from "../../src/base-command.js";
import { FastmigError, exitCodes } from "../../src/errors.js";

const refused = new FastmigError("no engine on b", {
  code: "NO_ENGINE",
  exit: exitCodes.preflight,
  hint: "install podman",
});

class Sample extends BaseCommand {
  static override id = "sample";
  static override args = { plan: Args.string({ required: true }) };
  static override flags = { rounds: Flags.integer() };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(Sample);
    if (args.plan === "refused") throw refused;
    if (args.plan === "bug") throw new TypeError("oops");
    if (args.plan === "interrupted") return this.wait();
    return { plan: args.plan, rounds: flags.rounds };
  }

  /** As a library does that is given our signal and throws its own error. */
  private async wait(): Promise<object> {
    const { interrupt } = this;
    process.emit("SIGTERM");
    throw new Error(`cancelled: ${interrupt.aborted}`);
  }
}

let config: Config;
let out: string;
let err: string;

beforeAll(async () => {
  config = await Config.load({ root: process.cwd(), ignoreManifest: true });
});

beforeEach(() => {
  out = err = "";
  jest.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
  jest.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += String(text))));
});

afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

/** The exit code of a run of the sample command. */
async function exitOf(...argv: string[]): Promise<number> {
  const ended = await Sample.run(argv, config).catch((thrown: { oclif: { exit: number } }) => thrown);
  return "oclif" in ended ? ended.oclif.exit : 0;
}

describe("a command", () => {
  test("prints nothing of its result by itself", async () => {
    expect(await exitOf("p.yaml")).toBe(0);
    expect([out, err]).toEqual(["", ""]);
  });

  test("--json: the result with its schema version, and nothing else", async () => {
    expect(await exitOf("p.yaml", "--rounds", "3", "--json")).toBe(0);
    expect(JSON.parse(out)).toEqual({ schemaVersion, plan: "p.yaml", rounds: 3 });
    expect(err).toBe("");
  });
});

describe("a failed command", () => {
  test("an expected error: message and next step on stderr, its own exit code", async () => {
    expect(await exitOf("refused")).toBe(3);
    expect(err).toBe("Error: no engine on b\n→ install podman\n");
    expect(out).toBe("");
  });

  test("an expected error with --json: the same facts on stdout, stderr is silent", async () => {
    expect(await exitOf("refused", "--json")).toBe(3);
    const error = {
      code: "NO_ENGINE",
      message: "no engine on b",
      hint: ["install podman"],
      details: [],
      exit: 3,
    };
    expect(JSON.parse(out)).toEqual({ schemaVersion, error });
    expect(err).toBe("");
  });

  test("a bug: exit 1, the stack and the version", async () => {
    expect(await exitOf("bug")).toBe(1);
    expect(err).toContain("Error: unexpected: oops\n  at ");
    expect(err).toContain(config.userAgent);
  });

  test.each([
    ["an unknown flag", ["p.yaml", "--frobnicate"], "UNKNOWN_FLAG"],
    ["a missing argument", [], "MISSING_ARGUMENT"],
    ["an argument too many", ["p.yaml", "q.yaml"], "UNEXPECTED_ARGUMENT"],
    ["a flag that does not parse", ["p.yaml", "--rounds", "many"], "USAGE"],
  ])("%s: exit 2, short JSON", async (_, argv, code) => {
    expect(await exitOf(...argv, "--json")).toBe(2);
    expect(JSON.parse(out).error).toMatchObject({ code, exit: 2, hint: ["fastmig sample --help"] });
    expect(out.length).toBeLessThan(1000);
  });

  test("what a library throws after SIGTERM is the interruption: exit 143", async () => {
    expect(await exitOf("interrupted")).toBe(143);
    expect(err).toContain("Error: interrupted by SIGTERM");
    expect(process.listenerCount("SIGTERM")).toBe(0);
  });
});
