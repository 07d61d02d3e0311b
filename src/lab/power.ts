import { exitCodes, FastmigError } from "../errors.js";
import { inNode } from "./exec.js";
import { withLock } from "./lock.js";
import { startNode, stopNode } from "./node.js";
import { labNode, readState, writeState, type LabNode, type LabState } from "./state.js";
import { patience } from "./up.js";

/** Pulls a node's plug (`stopNode`), beside no `up` or `down` of the lab. */
export function killNode(state: LabState, name: string): Promise<void> {
  labNode(state, name);
  return withLock(state.dir, patience, () => stopNode(state, name));
}

/** What a node has from its next boot on: as in `LabNode`, but `best` is no processor in particular. */
export type NodeChange = Pick<LabNode, "processor" | "uptime">;

/**
 * What was written reaches the disk; then the node loses its power and is started again, also where it had none: with what is
 * to change. Throws LAB_KIND where a node of this kind cannot have that.
 */
export async function rebootNode(state: LabState, name: string, change: NodeChange = {}): Promise<void> {
  labNode(state, name);
  await withLock(state.dir, patience, async () => {
    // A node may have changed since `state` was read.
    const next = withChange((await readState(state)) ?? state, name, change);
    await inNode(next, name, ["sync"], { timeout: 30_000 }).catch(() => undefined);
    await stopNode(next, name);
    await writeState(next);
    await startNode(next, name);
  });
}

function withChange(state: LabState, name: string, change: NodeChange): LabState {
  if (change.processor !== undefined && state.launcher !== "vm")
    throw otherKind(`the nodes of the lab "${state.name}" have this machine's processor`, "vm");
  if (change.uptime !== undefined && state.launcher !== "namespaces")
    throw otherKind(
      `the machines of the lab "${state.name}" have been up since they were started`,
      "namespaces",
    );
  const changed = change.processor === "best" ? { ...change, processor: undefined } : change;
  return {
    ...state,
    nodes: state.nodes.map((node) => (node.name === name ? { ...node, ...changed } : node)),
  };
}

function otherKind(message: string, kind: LabState["launcher"]): FastmigError {
  return new FastmigError(message, {
    code: "LAB_KIND",
    exit: exitCodes.usage,
    hint: `\`fastmig lab up --kind ${kind} --name NAME\` makes a lab whose nodes may have another`,
  });
}
