import { isNamespace, namespaceFile } from "./namespaces.js";
import { switchName } from "./network.js";
import { answers } from "./node.js";
import { labPaths } from "./paths.js";
import { readState, type LabState } from "./state.js";

export type NodeStatus = { name: string; address: string; up: boolean };

/** `partial`: some of it is there, as after a killed `up` or with a node stopped. */
export type LabStatus =
  | { name: string; state: "down" }
  | { name: string; state: "up" | "partial"; sshConfig: string; rate: number | null; nodes: NodeStatus[]; lab: LabState };

export async function status(name = "lab"): Promise<LabStatus> {
  const paths = labPaths(name);
  const lab = await readState(paths);
  if (lab === undefined || !(await isNamespace(namespaceFile(paths, switchName)))) return { name, state: "down" };
  const nodes = await Promise.all(lab.nodes.map(async (node) => ({ ...plain(node), up: await answers(lab, node.name) })));
  const state = nodes.every((node) => node.up) ? "up" : "partial";
  return { name, state, sshConfig: lab.sshConfig, rate: lab.rate, nodes, lab };
}

const plain = ({ name, address }: { name: string; address: string }): { name: string; address: string } => ({ name, address });
