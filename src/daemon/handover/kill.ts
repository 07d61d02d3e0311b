import { pause } from "../../wait.js";
import type { Processes, Tracked } from "../processes.js";
import { isDead, readTree } from "../procfs.js";

/** Milliseconds that an aborted CRIU has to end by itself. */
const patience = 3000;

/** The hook obeys `aborted`, CRIU kills the tree and ends; one that is stuck elsewhere is killed. */
export async function endOrKill(criu: Tracked, processes: Processes): Promise<void> {
  const late = new Promise<"late">((resolve) => setTimeout(resolve, patience, "late").unref());
  if ((await Promise.race([criu.ended, late])) !== "late" || (await isDead(criu))) return;
  await processes.kill(criu.pid, 9);
  await criu.ended;
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
