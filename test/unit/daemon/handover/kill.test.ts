import { expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { endPreDump } from "../../../../src/daemon/handover/kill.js";
import type { Processes } from "../../../../src/daemon/processes.js";
import { readStat } from "../../../../src/daemon/procfs.js";

/** Holds a child by ptrace(2) for half a second, lets it go, and goes on: as a pre-dump holds the service. */
const tracer = `
import ctypes, subprocess, time
libc = ctypes.CDLL(None)
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
child = subprocess.Popen(["sleep", "100"])
assert libc.ptrace(SEIZE, child.pid, None, None) == 0
assert libc.ptrace(INTERRUPT, child.pid, None, None) == 0
libc.waitpid(child.pid, None, 0x40000000)
print(child.pid, flush=True)
time.sleep(0.5)
assert libc.ptrace(DETACH, child.pid, None, None) == 0
print("let go", flush=True)
time.sleep(100)
`;

test("a pre-dump that is given up ends once it holds nobody", async () => {
  const criu = spawn("python3", ["-c", tracer], { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  const lines = createInterface(criu.stdout).on("line", (line) => said.push(line));
  await once(lines, "line");
  const { pid = 0, startTicks = 0 } = (await readStat(criu.pid ?? 0)) ?? {};
  const ended = once(criu, "exit").then(() => ({ kind: "signaled", signal: 9 }) as const);
  const processes = {
    kill: async (one: number, signal: number) => Promise.resolve(process.kill(one, signal)),
  };
  await endPreDump({ pid, startTicks, ended }, processes as unknown as Processes);
  const held = Number(said[0]);
  try {
    expect(said).toEqual([expect.any(String), "let go"]);
    expect(criu.signalCode).toBe("SIGKILL");
    expect((await readStat(held))?.state).toBe("S");
  } finally {
    process.kill(held, 9);
  }
});
