import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Ended, program, root } from "../support/fastmig.js";

let work: string;
let prefix: string;
let listing: string[];

/** npm under this very Node: it is Node 24 that the package is for. */
async function npm(...args: string[]): Promise<Ended> {
  const path = `${join(root, "node_modules/.bin")}:${process.env.PATH}`;
  const env = { ...(process.env as Record<string, string>), PATH: path };
  const ended = await program("npm", ["--loglevel=error", ...args], { env });
  if (ended.exit !== 0) throw new Error(`npm ${args.join(" ")}: exit ${ended.exit}\n${ended.stderr}`);
  return ended;
}

/** The installed CLI, away from the sources and without node_modules/.bin on the PATH. */
function installed(...args: string[]): Promise<Ended> {
  return program(process.execPath, [join(prefix, "bin/fastmig"), ...args], { cwd: work });
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "fastmig-package-"));
  prefix = join(work, "prefix");
  const { stdout } = await npm("pack", "--ignore-scripts", "--json", "--pack-destination", work);
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  listing = packed.files.map(({ path }) => path);
  await npm("install", "--global", "--prefix", prefix, "--prefer-offline", join(work, packed.filename));
}, 300_000);

afterAll(() => rm(work, { recursive: true, force: true }));

describe("the packed file", () => {
  test.each([
    "bin/run.js",
    "oclif.manifest.json",
    "plans/reference.yaml",
    "Dockerfile",
    "native/init/main.c",
    "build/container/daemon/daemon.mjs",
    "build/container/daemon/fastfreeze.mjs",
    "build/container/daemon/ff_daemon.mjs",
    "container/fastfreeze",
  ])("holds %s", (path) => {
    expect(listing).toContain(path);
  });

  test("holds no sources, tests or binaries", () => {
    expect(listing.filter((path) => /^(src|test|bench|build\/(?!container\/daemon\/))/.test(path))).toEqual(
      [],
    );
  });
});

describe("installed by npm i -g", () => {
  test("--version", async () => {
    const { exit, stdout } = await installed("--version");
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: expect.stringMatching(/^fastmig\/\d/) });
  });

  test("--help names the commands", async () => {
    expect((await installed("--help")).stdout).toContain("preflight");
  });

  test("plan init writes a plan that plan check takes", async () => {
    const plan = join(work, "plan.yaml");
    expect(await installed("plan", "init", plan)).toMatchObject({ exit: 0 });
    expect(await installed("plan", "check", plan)).toMatchObject({ exit: 0, stderr: "" });
  });
});
