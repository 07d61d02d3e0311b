import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Argv } from "../../../src/argv.js";
import { Throttle } from "../../../src/migration/throttle/throttle.js";
import { LocalNode } from "../../../src/remote/local.js";
import type { ExecOptions, Outcome } from "../../../src/remote/node.js";
import { waitFor } from "../../../src/wait.js";

/** As in a container: process 1 waits, process 2 is the service, computes, and has a child that sleeps and a thread group of its own. */
const container = "sleep 600 & bash -c 'sleep 600 & while :; do :; done' & wait";

const home = "/sys/fs/cgroup/cpu/fastmig-test-throttle";
const cell = `${home}/fastmig-throttle`;

/** This machine, where a container engine would say that this is the container's first process. */
class Engine extends LocalNode {
  init = 0;
  override exec(argv: Argv, options?: ExecOptions): Promise<Outcome> {
    if (argv[0] !== "podman") return super.exec(argv, options);
    return Promise.resolve({ kind: "exited", code: 0, stdout: `${this.init}\n`, stderr: "" });
  }
}

const node = new Engine({ name: "here", address: "localhost", identity: "here", sudo: false });
const site = { node: () => Promise.resolve(node), service: "counter" };
let holder: ChildProcess;

beforeEach(async () => {
  await mkdir(home);
  holder = spawn("unshare", ["--pid", "--fork", "--kill-child", "bash", "-c", container], {
    stdio: "ignore",
  });
  node.init = await waitFor("the container", () => firstChild(holder.pid ?? 0), { timeout: 5000 });
  await writeFile(`${home}/cgroup.procs`, String(node.init));
  for (const pid of await waitFor("its processes", () => three(node.init), { timeout: 5000 }))
    await writeFile(`${home}/cgroup.procs`, String(pid));
});

afterEach(async () => {
  holder.kill("SIGKILL");
  await once(holder, "exit").catch(() => undefined);
  await waitFor("its end", async () => ((await members(home)).length === 0 ? true : undefined), {
    timeout: 5000,
  });
  await rmdir(home);
});

async function firstChild(pid: number): Promise<number | undefined> {
  const [child] = await children(pid);
  return child;
}

async function children(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Process 1's sleep, the service, and the service's sleep. */
async function three(init: number): Promise<number[] | undefined> {
  const direct = await children(init);
  const below = await Promise.all(direct.map(children));
  const all = [...direct, ...below.flat()];
  return all.length === 3 ? all : undefined;
}

async function members(path: string): Promise<number[]> {
  return (await readFile(`${path}/cgroup.procs`, "utf8")).split("\n").filter(Boolean).map(Number);
}

async function throttled(): Promise<string> {
  return (await readFile(`${cell}/cpu.cfs_quota_us`, "utf8")).trim();
}

/** Everything is where it was. */
async function undone(within = 5000): Promise<void> {
  await waitFor("the undoing", () => Promise.resolve(existsSync(cell) ? undefined : true), {
    timeout: within,
  });
  expect(await members(home)).toHaveLength(4);
  expect((await readdir(home)).filter((name) => name.startsWith("fastmig"))).toEqual([]);
}

/** The shell that holds the throttle. */
async function holders(): Promise<number[]> {
  const all = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => ({
        pid: Number(pid),
        words: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
      })),
  );
  return all.filter(({ words }) => words.includes(`bash\0${node.init}\0`)).map(({ pid }) => pid);
}

describe("a throttled service", () => {
  test("has less processor time, its children too; lifted, all is as it was", async () => {
    const throttle = await Throttle.open(site, [3]);
    expect(await members(cell)).toHaveLength(2);
    // It uses one processor, if it gets one.
    expect(await throttle.set(0.5)).toBeGreaterThan(10_000);
    const quota = await throttle.set(0.1);
    expect(await throttled()).toBe(String(quota));
    expect(await share()).toBeLessThan(0.3);
    await throttle.lift();
    await undone(0);
  }, 30_000);

  test("a SIGKILL of what holds it undoes it", async () => {
    const throttle = await Throttle.open(site, [3]);
    await throttle.set(0.1);
    for (const pid of await holders()) process.kill(pid, "SIGKILL");
    await undone();
    await expect(throttle.lift()).rejects.toThrow("was ended by SIGKILL");
  }, 30_000);

  test("a service that is gone cannot be throttled, and nothing stays", async () => {
    await expect(Throttle.open(site, [77])).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      details: ["no process of the service is there"],
    });
    await undone();
  }, 30_000);
});

/** Of a processor, what the service gets within a second. */
async function share(): Promise<number> {
  const ticks = async (): Promise<number> => {
    const all = await Promise.all((await members(cell)).map((pid) => readFile(`/proc/${pid}/stat`, "utf8")));
    return all
      .map((text) => text.replace(/^.*\) /, "").split(" "))
      .reduce((sum, words) => sum + Number(words[11]) + Number(words[12]), 0);
  };
  const before = await ticks();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return ((await ticks()) - before) / ((performance.now() - begun) / 10);
}
