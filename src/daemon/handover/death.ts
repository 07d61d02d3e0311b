/** Whether the dumped tree is dead: the proof on which the destination runs, or the sign that the source goes on. */
import { pause } from "../../wait.js";
import { isDying, readStat, type ProcessId } from "../procfs.js";
import type { Processes } from "../processes.js";
import { survivors, type DumpedTree } from "./tree-file.js";

export type TreeFate = "treeDead" | "treePartlyDead" | "treeAlive";

export interface Scene {
  tree: DumpedTree;
  life: string;
  /** CRIU ended: nothing happens to the tree any more but what it does itself. */
  criuGone(): Promise<boolean>;
  /** CRIU's log of the dump. */
  criuLog(): Promise<string>;
}

/** CRIU's last words before it sends SIGKILL to every task (TASK_DEAD is 2). */
const killingLine = "Unfreezing tasks into 2";

/** After `released` CRIU kills the tree; where CRIU was killed before it began to, the tree goes on by itself. */
export async function awaitDeath(scene: Scene): Promise<TreeFate> {
  for (;;) {
    // Asked before looking: a CRIU that ends between the two has finished its work.
    const gone = await scene.criuGone();
    const alive = await survivors(scene.tree, scene.life);
    if (alive.length === 0) return "treeDead";
    if (gone) return (await killingBegan(scene, alive)) ? "treePartlyDead" : "treeAlive";
    // A look takes half a millisecond to one of the processor that the killing needs. Its end is told later: while CRIU traces
    // a dead task, its parent hears nothing.
    await pause(5);
  }
}

/** A large task takes a while to die: that it still shows as running says nothing. */
async function killingBegan({ tree, criuLog }: Scene, alive: readonly ProcessId[]): Promise<boolean> {
  if (alive.length < tree.processes.length) return true;
  if ((await criuLog()).includes(killingLine)) return true;
  const dying = await Promise.all(alive.map((process) => isDying(process.pid)));
  return dying.some(Boolean);
}

/** After `aborted` CRIU lets the tree go and ends; only then does it serve again. */
export async function awaitResume({ tree, life, criuGone }: Scene): Promise<TreeFate> {
  while (!(await criuGone())) await pause(5);
  const root = tree.processes[0];
  if (root !== undefined && tree.life === life) await awaitUnstopped(root);
  const alive = await survivors(tree, life);
  if (alive.length === 0) return "treeDead";
  return alive.length === tree.processes.length ? "treeAlive" : "treePartlyDead";
}

/** Finishes what a CRIU began that was killed on the way; resolves when the whole tree is dead. */
export async function killAll(tree: DumpedTree, life: string, processes: Processes): Promise<void> {
  for (;;) {
    const alive = await survivors(tree, life);
    if (alive.length === 0) return;
    for (const process of alive) await processes.kill(process.pid, 9);
    await pause(2);
  }
}

/** Until nobody traces it: `t` and `T` are the states of a stopped task. */
async function awaitUnstopped(root: ProcessId): Promise<void> {
  for (;;) {
    const stat = await readStat(root.pid);
    if (stat?.startTicks !== root.startTicks || !/[tT]/.test(stat.state)) return;
    await pause(5);
  }
}
