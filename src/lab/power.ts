import { inNode } from "./exec.js";
import { withLock } from "./lock.js";
import { startNode, stopNode } from "./node.js";
import { labNode, type LabState } from "./state.js";
import { patience } from "./up.js";

/** Pulls a node's plug (`stopNode`), beside no `up` or `down` of the lab. */
export function killNode(state: LabState, name: string): Promise<void> {
  labNode(state, name);
  return withLock(state.dir, patience, () => stopNode(state, name));
}

/** What was written reaches the disk; then the node loses its power and is started again, also where it had none. */
export async function rebootNode(state: LabState, name: string): Promise<void> {
  labNode(state, name);
  await withLock(state.dir, patience, async () => {
    await inNode(state, name, ["sync"], { timeout: 30_000 }).catch(() => undefined);
    await stopNode(state, name);
    await startNode(state, name);
  });
}
