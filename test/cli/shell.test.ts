import { join } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, test } from "@jest/globals";
import { fastmig, program, root } from "../support/fastmig.js";

const run = join(root, "bin/run.js");
const path = `${join(root, "node_modules/.bin")}:${process.env.PATH}`;

/** A line of shell, the CLI being `$fastmig`; answers the exit codes of the pipe's parts. */
function pipe(line: string) {
  const script = `fastmig="${process.execPath} ${run}"; ${line}; echo "\${PIPESTATUS[*]}" >&2`;
  return program("bash", ["-c", script]);
}

describe("fastmig", () => {
  test("--version says version, platform and Node", async () => {
    const { exit, stdout } = await fastmig(["--version"]);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^fastmig\/\d+\.\d+\.\d+ linux-\w+ node-v\d+\.\d+\.\d+$/);
  });

  test("--help names the commands", async () => {
    const { exit, stdout, stderr } = await fastmig(["--help"]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    for (const word of ["migrate", "preflight", "plan", "status", "lab"]) expect(stdout).toContain(word);
  });

  test.each(["--help", "plan --help", "--version"])(
    "%s | head -1: everybody exits 0, nobody complains",
    async (args) => {
      const { stdout, stderr } = await pipe(`$fastmig ${args} | head -1`);
      expect(stdout.split("\n")).toHaveLength(1);
      expect(stderr).toBe("0 0");
    },
  );

  test("--help into a pipe that nobody reads: exit 0", async () => {
    const { stderr } = await pipe("(sleep 0.3; $fastmig --help) | true");
    expect(stderr).toBe("0 0");
  });

  test("an error with stderr closed early still has its exit code", async () => {
    const { stderr } = await pipe("(sleep 0.3; $fastmig frobnicate) 2>&1 >/dev/null | true");
    expect(stderr).toBe("2 0");
  });
});

describe("under cron", () => {
  test("no HOME, no TERM, hardly a PATH", async () => {
    const { exit, stderr } = await fastmig(["plan", "schema"], { env: { PATH: "/usr/bin:/bin" } });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  });

  test("a HOME that cannot be written is no obstacle", async () => {
    const { exit, stderr } = await fastmig(["--help"], { env: { PATH: path, HOME: "/dev/null" } });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  });
});

describe("what it writes", () => {
  test("goes nowhere but the cache", async () => {
    const home = await mkdtemp(join(tmpdir(), "fastmig-home-"));
    await fastmig(["--help"], { env: { PATH: path, HOME: home } });
    const { stdout } = await program("ls", ["-A", home]);
    await rm(home, { recursive: true });
    expect(stdout).toBe(".cache");
  });
});

describe("Node that is too old", () => {
  test("is refused in words before anything new is loaded", async () => {
    const old = `Object.defineProperty(process.versions,"node",{value:"20.1.0"})`;
    const { exit, stdout, stderr } = await program(process.execPath, [
      "--import",
      `data:text/javascript,${old}`,
      run,
      "--help",
    ]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
    expect(stderr).toMatch(/^Error: fastmig needs Node 24 or later; this is v\S+ \(.*node\)$/);
  });
});
