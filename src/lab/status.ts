import { isNamespace, namespaceFile } from "./namespaces.js";
import { switchName } from "./network.js";
import { answers } from "./node.js";
import { labPaths } from "./paths.js";
import { noLab, readState, type LabKind, type LabState } from "./state.js";

export type NodeStatus = { name: string; address: string; up: boolean };

/** `partial`: some of it is there, as after a killed `up` or with a node stopped. */
export type LabStatus =
  | { name: string; state: "down" }
  | {
      name: string;
      state: "up" | "partial";
      kind: LabKind;
      sshConfig: string;
      rate: number | null;
      nodes: NodeStatus[];
    };

/** The lab's papers, where its switch is there; nodes may be stopped. */
export async function findLab(name = "lab"): Promise<LabState | undefined> {
  const paths = labPaths(name);
  return (await isNamespace(namespaceFile(paths, switchName))) ? readState(paths) : undefined;
}

/** As `findLab`; throws LAB_DOWN where there is none. */
export async function runningLab(name = "lab"): Promise<LabState> {
  const lab = await findLab(name);
  if (lab === undefined) throw noLab(name);
  return lab;
}

export async function status(name = "lab"): Promise<LabStatus> {
  const lab = await findLab(name);
  if (lab === undefined) return { name, state: "down" };
  const nodes = await Promise.all(lab.nodes.map((node) => nodeStatus(lab, node.name, node.address)));
  const state = nodes.every((node) => node.up) ? "up" : "partial";
  return { name, state, kind: lab.launcher, sshConfig: lab.sshConfig, rate: lab.rate, nodes };
}

async function nodeStatus(lab: LabState, name: string, address: string): Promise<NodeStatus> {
  return { name, address, up: await answers(lab, name) };
}
