import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { readStat } from "../../../src/daemon/procfs.js";
import { makeGate, WaitingCriu } from "../../../src/daemon/waiting.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-waiting-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A shell in CRIU's place, and its end. */
async function waiting(script: string): Promise<{ criu: WaitingCriu; ended: Promise<unknown> }> {
  const gate = await makeGate(directory, "restore");
  const child = spawn("sh", ["-c", script, "sh", gate], { cwd: directory });
  const ended = once(child, "exit");
  const stat = await readStat(child.pid as number);
  if (stat === undefined) throw new Error("it did not start");
  return { criu: new WaitingCriu({ ...stat, ended: Promise.resolve(null) }, gate), ended };
}

test.each(['cat "$1" > told', 'sleep 0.2; cat "$1" > told'])(
  "%s: learns where the images are",
  async (script) => {
    const { criu, ended } = await waiting(script);
    expect(await criu.letGo("/images/final")).toBe(true);
    await ended;
    expect(await readFile(join(directory, "told"), "utf8")).toBe("images-dir /images/final\n");
  },
);

test("one that is gone cannot be let go", async () => {
  const { criu, ended } = await waiting("sleep 0.1");
  expect(await criu.letGo("/images/final")).toBe(false);
  await ended;
});
