import { exitCodes, FastmigError } from "../errors.js";
import { inNode } from "./exec.js";
import { withLock } from "./lock.js";
import { startNode, stopNode } from "./node.js";
import { labNode, readState, writeState, type LabState } from "./state.js";
import { patience } from "./up.js";

/** Pulls a node's plug (`stopNode`), beside no `up` or `down` of the lab. */
export function killNode(state: LabState, name: string): Promise<void> {
  labNode(state, name);
  return withLock(state.dir, patience, () => stopNode(state, name));
}

/**
 * What was written reaches the disk; then the node loses its power and is started again, also where it had none: a machine
 * with another processor where one is named (QEMU's model; `best`), and from then on.
 */
export async function rebootNode(state: LabState, name: string, processor?: string): Promise<void> {
  labNode(state, name);
  await withLock(state.dir, patience, async () => {
    // A node may have got its processor since `state` was read.
    const now = (await readState(state)) ?? state;
    const next = processor === undefined ? now : withProcessor(now, name, processor);
    await inNode(next, name, ["sync"], { timeout: 30_000 }).catch(() => undefined);
    await stopNode(next, name);
    await writeState(next);
    await startNode(next, name);
  });
}

function withProcessor(state: LabState, name: string, processor: string): LabState {
  if (state.launcher !== "vm")
    throw new FastmigError(`the nodes of the lab "${state.name}" have this machine's processor`, {
      code: "LAB_KIND",
      exit: exitCodes.usage,
      hint: "`fastmig lab up --kind vm --name NAME` makes machines that may have another",
    });
  const chosen = processor === "best" ? undefined : processor;
  return {
    ...state,
    nodes: state.nodes.map((node) => (node.name === name ? { ...node, processor: chosen } : node)),
  };
}
