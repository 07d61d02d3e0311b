import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { afterEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import * as lab from "../../src/lab/index.js";
import { labPaths } from "../../src/lab/paths.js";
import { waitFor } from "../../src/wait.js";
import { fastmig, root } from "../support/fastmig.js";
import { leftovers } from "../support/leftovers.js";

const name = "selftest-3";
const { dir, namespaces } = labPaths(name);
const lines = { ...process.env, NO_COLOR: "1" };

afterEach(() => lab.down(name), 60_000);

/** Starts `lab up` and kills it, and nothing but it, as soon as a file is there. */
async function killedUp(atFile: string): Promise<void> {
  const up = execa(process.execPath, [`${root}/bin/run.js`, "lab", "up", "--name", name], {
    env: lines,
    reject: false,
  });
  await waitFor(atFile, () => Promise.resolve(existsSync(atFile) || undefined), {
    timeout: 60_000,
    interval: 1,
  });
  up.kill("SIGKILL");
  expect((await up).signal).toBe("SIGKILL");
}

const moments: [string, string][] = [
  ["its papers are written", `${dir}/state.json`],
  ["the switch is there", `${namespaces}/switch`],
  ["the client is there", `${namespaces}/client`],
  ["a node's network is there", `${namespaces}/a`],
  ["a node's launcher runs", `${dir}/nodes/a/launch.sh`],
  ["a node boots", `${dir}/nodes/a/console.log`],
];

describe.each(moments)("up is killed when %s", (_, file) => {
  test("up again brings it up, down leaves nothing", async () => {
    await killedUp(file);
    await lab.up({ name });
    expect(await lab.status(name)).toMatchObject({ state: "up", nodes: [{ up: true }, { up: true }] });
    await lab.down(name);
    expect(await leftovers(name)).toEqual([]);
  }, 120_000);

  test("down alone leaves nothing", async () => {
    await killedUp(file);
    await lab.down(name);
    expect(await leftovers(name)).toEqual([]);
  }, 60_000);
});

test(
  "down ends what runs in containers and takes their mounts along",
  async () => {
    const state = await lab.up({ name });
    const tag = "localhost/fastmig-selftest:1";
    const image = await lab.buildImage({
      tag,
      dockerfile: `FROM ${lab.baseName}\nCOPY word /word\n`,
      context: { word: `${root}/package.json` },
    });
    await lab.loadImage(state, "a", image);
    await lab.inNode(state, "a", ["podman", "run", "--detach", "--network", "host", tag, "sleep", "4242"]);
    await lab.inNode(state, "a", [
      "podman",
      "run",
      "--detach",
      "--publish",
      "8080:8080",
      tag,
      "sleep",
      "4242",
    ]);
    await lab.limitDisk(state, "a", "/var/lib/fastmig/x", 4 << 20);
    await lab.down(name);
    expect(await leftovers(name)).toEqual([]);
    const { stdout } = await execa("pgrep", ["-f", "^sleep 4242"], { reject: false });
    expect(stdout).toBe("");
  },
  5 * 60_000,
);

test("after a reboot of the machine: papers without namespaces are raised again", async () => {
  await lab.up({ name, nodes: ["a"] });
  await lab.stopNode(await lab.runningLab(name), "a");
  const before = await lab.runningLab(name);
  await lab.down(name);
  await mkdir(dir, { recursive: true });
  await mkdir(namespaces, { recursive: true });
  await writeFile(`${dir}/state.json`, JSON.stringify(before));
  await writeFile(`${namespaces}/switch`, "");
  expect((await lab.status(name)).state).toBe("down");
  await lab.up({ name });
  expect(await lab.status(name)).toMatchObject({ state: "up", nodes: [{ name: "a", up: true }] });
}, 60_000);

test("two at the same time raise one lab", async () => {
  const [one, other] = await Promise.all([lab.up({ name }), lab.up({ name })]);
  expect(one).toEqual(other);
}, 60_000);

describe("the commands", () => {
  test("up, status, ssh and down, in JSON", async () => {
    const json = async (...args: string[]): Promise<unknown> => {
      const { exit, stdout, stderr } = await fastmig(["lab", ...args, "--json"], {
        env: { ...lines },
      });
      return { exit, stderr, result: JSON.parse(stdout) as unknown };
    };
    const up = await json("up", "--name", name, "--nodes", "a", "--rate", "100MB/s");
    expect(up).toMatchObject({
      exit: 0,
      result: { schemaVersion: 1, name, state: "up", rate: 100e6, nodes: [{ name: "a" }] },
    });
    expect(await json("status", "--name", name)).toMatchObject({ exit: 0, result: { state: "up" } });
    const command = ["ssh", "a", "--name", name, "--", "sh", "-c", "echo 'x  y'; exit 3"];
    const { exit, stdout } = await fastmig(["lab", ...command]);
    expect({ exit, stdout }).toEqual({ exit: 3, stdout: "x  y" });
    expect(await json("down", "--name", name)).toMatchObject({ exit: 0, result: { state: "down" } });
    expect(await json("down", "--name", name)).toMatchObject({ exit: 0, result: { state: "down" } });
    expect(await json("ssh", "a", "--name", name)).toMatchObject({
      exit: 2,
      result: { error: { code: "LAB_DOWN" } },
    });
  }, 60_000);

  test("without root the reason is said, and nothing is touched", async () => {
    const argv = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      process.execPath,
      `${root}/bin/run.js`,
      "lab",
      "up",
    ];
    const { exitCode, stderr } = await execa("setpriv", argv, {
      reject: false,
      env: { ...lines, HOME: "/nonexistent" },
    });
    expect(stderr).toContain("needs root");
    expect(exitCode).toBe(3);
  });
});

test("a command that fails on this machine is quoted, with what it said", async () => {
  const state = await lab.up({ name, nodes: ["a"] });
  const failing = lab.inNode(state, "a", ["sh", "-c", "echo so it ends >&2; exit 7"]);
  await expect(failing).rejects.toMatchObject({ code: "LAB_COMMAND", details: ["so it ends"] });
}, 60_000);
