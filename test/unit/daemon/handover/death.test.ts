import { spawn, type ChildProcess } from "node:child_process";
import { afterEach, describe, expect, test } from "@jest/globals";
import { awaitDeath, awaitResume, type Scene } from "../../../../src/daemon/handover/death.js";
import { readStat, type ProcessId } from "../../../../src/daemon/procfs.js";

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

async function living(): Promise<ProcessId> {
  const child = spawn("sleep", ["60"]);
  children.push(child);
  const stat = await readStat(child.pid as number);
  if (stat === undefined) throw new Error("it did not start");
  return { pid: stat.pid, startTicks: stat.startTicks };
}

const dead: ProcessId = { pid: 1, startTicks: 1 };

function scene(processes: ProcessId[], log: string, criuGone = true): Scene {
  return {
    tree: { life: "this", facts: null, processes },
    life: "this",
    criuGone: async () => criuGone,
    criuLog: async () => log,
  };
}

describe("after the release", () => {
  test("a tree of which nobody lives is dead", async () => {
    expect(await awaitDeath(scene([dead, dead], ""))).toBe("treeDead");
  });

  test("every process of an earlier life of the container is dead, whoever has its PID now", async () => {
    expect(await awaitDeath({ ...scene([await living()], ""), life: "another" })).toBe("treeDead");
  });

  test("a tree that CRIU never began to kill lives on here", async () => {
    expect(await awaitDeath(scene([await living(), await living()], "Freezing\nheld\n"))).toBe("treeAlive");
  });

  test("a tree that CRIU began to kill is finished off, though all of it still shows as alive", async () => {
    expect(await awaitDeath(scene([await living()], "(00.1) Unfreezing tasks into 2\n"))).toBe(
      "treePartlyDead",
    );
  });

  test("one that is partly dead is finished off", async () => {
    expect(await awaitDeath(scene([await living(), dead], ""))).toBe("treePartlyDead");
  });

  test("nothing is decided while CRIU is at work", async () => {
    const process = await living();
    const waiting = awaitDeath(scene([process], "", false));
    children[0]?.kill("SIGKILL");
    expect(await waiting).toBe("treeDead");
  });
});

describe("after the abort", () => {
  test.each([
    ["serves again", "treeAlive", 2, 0],
    ["is dead", "treeDead", 0, 2],
    ["is partly dead", "treePartlyDead", 1, 1],
  ])("a tree that %s", async (_what, fate, alive, gone) => {
    const processes = [
      ...(await Promise.all(Array.from({ length: alive }, living))),
      ...Array.from({ length: gone }, () => dead),
    ];
    expect(await awaitResume(scene(processes, ""))).toBe(fate);
  });
});
