/** Whether the dumped tree is dead: the proof on which the destination runs, or the sign that the source goes on. */
import { pause } from "../../wait.js";
import { readStat, type ProcessId } from "../procfs.js";
import { survivors, type DumpedTree } from "./tree-file.js";

export type TreeFate = "treeDead" | "treePartlyDead" | "treeAlive";

interface Scene {
  tree: DumpedTree;
  life: string;
  /** CRIU ended: nothing happens to the tree any more but what it does itself. */
  criuGone(): Promise<boolean>;
}

/** After `released` CRIU kills the tree; where CRIU was killed first, the tree goes on by itself. */
export async function awaitDeath({ tree, life, criuGone }: Scene): Promise<TreeFate> {
  for (;;) {
    // Asked before looking: a CRIU that ends between the two has finished its work.
    const gone = await criuGone();
    const alive = await survivors(tree, life);
    if (alive.length === 0) return "treeDead";
    if (gone) return fateOf(alive, tree);
    await pause(1);
  }
}

/** After `aborted` CRIU lets the tree go and ends; only then does it serve again. */
export async function awaitResume({ tree, life, criuGone }: Scene): Promise<TreeFate> {
  while (!(await criuGone())) await pause(5);
  const root = tree.processes[0];
  if (root !== undefined && tree.life === life) await awaitUnstopped(root);
  return fateOf(await survivors(tree, life), tree);
}

function fateOf(alive: readonly ProcessId[], tree: DumpedTree): TreeFate {
  if (alive.length === 0) return "treeDead";
  return alive.length === tree.processes.length ? "treeAlive" : "treePartlyDead";
}

/** Until nobody traces it: `t` and `T` are the states of a stopped task. */
async function awaitUnstopped(root: ProcessId): Promise<void> {
  for (;;) {
    const stat = await readStat(root.pid);
    if (stat?.startTicks !== root.startTicks || !/[tT]/.test(stat.state)) return;
    await pause(5);
  }
}
