import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import { isDead, parseStat, readStat, treeOf, type ProcessStat } from "../../../src/daemon/procfs.js";
import { waitFor } from "../../../src/wait.js";

const stat = (pid: number, parent: number): ProcessStat => ({
  pid,
  parent,
  session: pid,
  state: "S",
  startTicks: pid * 10,
});

describe("/proc", () => {
  test("a name may contain anything, brackets and spaces too", () => {
    const text = "42 (a) R 1 (b) S 7 42 41 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 987654 1000 10 0";
    expect(parseStat(42, text)).toEqual({ pid: 42, state: "S", parent: 7, session: 41, startTicks: 987654 });
  });

  test("a tree is its root and all that descend from it, parents first", () => {
    const stats = [stat(5, 2), stat(1, 0), stat(2, 1), stat(3, 1), stat(4, 2)];
    expect(treeOf(stats, 2).map((process) => process.pid)).toEqual([2, 5, 4]);
    expect(treeOf(stats, 9)).toEqual([]);
  });

  test("a process is dead when it is gone, and when another one has its PID", async () => {
    const child = spawn("sleep", ["60"]);
    const alive = await readStat(child.pid as number);
    if (alive === undefined) throw new Error("it did not start");
    expect(await isDead(alive)).toBe(false);
    expect(await isDead({ pid: alive.pid, startTicks: alive.startTicks - 1 })).toBe(true);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(await isDead(alive)).toBe(true);
  });

  test("is not dead while a thread lives, though its first one has ended and it is shown as a zombie", async () => {
    // 60 and 93 are `exit`, of one thread, on x86-64 and arm64.
    const program = `
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
ctypes.CDLL(None).syscall(93 if os.uname().machine == "aarch64" else 60, 0)`;
    const child = spawn("python3", ["-c", program]);
    const found = async (): Promise<ProcessStat> => {
      const stat = await readStat(child.pid as number);
      if (stat?.state !== "Z") throw new Error(`it is ${stat?.state}`);
      return stat;
    };
    const { pid, startTicks } = await waitFor("the first thread to end", found, { timeout: 10_000 });
    expect(await isDead({ pid, startTicks })).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await isDead({ pid, startTicks })).toBe(true);
  });
});
