import { pause } from "../../wait.js";
import type { Processes, Tracked } from "../processes.js";
import { isDead, isTracing, readStat, readTree } from "../procfs.js";
import { StallWatch } from "./stall.js";

/** Milliseconds that an aborted CRIU has to end by itself. */
const patience = 3000;
/** Milliseconds between two looks at what a pre-dump holds. */
const lookEvery = 10;
const sigstop = 19;
const sigcont = 18;

/** The hook obeys `aborted`, CRIU kills the tree and ends; one that is stuck elsewhere is killed. */
export async function endOrKill(criu: Tracked, processes: Processes): Promise<void> {
  const late = new Promise<"late">((resolve) => setTimeout(resolve, patience, "late").unref());
  if ((await Promise.race([criu.ended, late])) !== "late" || (await isDead(criu))) return;
  await processes.kill(criu.pid, 9);
  await criu.ended;
}

/**
 * A pre-dump has no hook that would obey. It is killed when it holds no process: one that dies with its code in a process can take
 * that with it. So it stands still while it is looked at.
 */
export async function endPreDump(criu: Tracked, processes: Processes): Promise<void> {
  const stall = new StallWatch(criu, processes);
  try {
    for (; !(await isDead(criu)); await pause(lookEvery)) {
      if (await isTracing(criu.pid)) continue;
      await processes.kill(criu.pid, sigstop);
      if ((await standsStill(criu.pid)) && !(await isTracing(criu.pid))) await processes.kill(criu.pid, 9);
      else await processes.kill(criu.pid, sigcont);
    }
  } finally {
    stall.end();
  }
  await criu.ended;
}

/** Resolves when a process that was told to stop executes nothing any more; false where it is gone instead. */
async function standsStill(pid: number): Promise<boolean> {
  for (;;) {
    const state = (await readStat(pid))?.state ?? "X";
    if (state === "T" || state === "t") return true;
    if (state === "Z" || state === "X") return false;
    await pause(1);
  }
}

/** A killed CRIU leaves the restored tree wedged: it executes nothing, but holds its PIDs and memory. */
export async function killTree(rootPid: number, processes: Processes): Promise<void> {
  for (;;) {
    const tree = await readTree(rootPid);
    const alive = tree.filter((task) => task.state !== "Z" && task.pid !== process.pid);
    if (alive.length === 0) return;
    for (const task of alive) await processes.kill(task.pid, 9);
    await pause(2);
  }
}
