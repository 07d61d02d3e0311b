import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@jest/globals";
import { StallWatch } from "../../../../src/daemon/handover/stall.js";
import type { Processes, Tracked } from "../../../../src/daemon/processes.js";
import { readStat } from "../../../../src/daemon/procfs.js";
import { pause } from "../../../../src/wait.js";

/** Milliseconds. */
const limit = 450;

const processes = {
  kill: (pid: number, signal: number) => Promise.resolve(void process.kill(pid, signal)),
} as unknown as Processes;

async function started(script: string): Promise<{ child: ChildProcess; criu: Tracked }> {
  const child = spawn("sh", ["-c", script], { stdio: "ignore" });
  await once(child, "spawn");
  const { pid, startTicks } = (await readStat(child.pid ?? 0)) ?? { pid: 0, startTicks: 0 };
  return { child, criu: { pid, startTicks, ended: once(child, "exit").then(() => null) } };
}

test("what takes no processor time is killed, and it is said why", async () => {
  const { child, criu } = await started("exec sleep 60");
  const watch = new StallWatch(criu, processes, limit);
  await criu.ended;
  expect(child.signalCode).toBe("SIGKILL");
  expect(watch.why).toBe("did nothing for 0.45 s and was ended");
});

test("what works is left alone", async () => {
  const { child, criu } = await started("while :; do :; done");
  const watch = new StallWatch(criu, processes, limit);
  await pause(3 * limit);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  expect(watch.why).toBeNull();
  watch.end();
  child.kill("SIGKILL");
});

test("nobody is killed once the watch has ended", async () => {
  const { child, criu } = await started("exec sleep 60");
  const watch = new StallWatch(criu, processes, limit);
  watch.end();
  await pause(2 * limit);
  expect(child.exitCode ?? child.signalCode).toBeNull();
  child.kill("SIGKILL");
});

test("one that has ended by itself was not killed", async () => {
  const { criu } = await started("exit 0");
  await criu.ended;
  const watch = new StallWatch(criu, processes, limit);
  await pause(2 * limit);
  expect(watch.why).toBeNull();
});
