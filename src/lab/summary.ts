import { commandLine } from "../argv.js";
import { formatRate, formatSize } from "../units.js";
import type { LabKind, LabState } from "./state.js";
import type { LabStatus } from "./status.js";

/** What `lab up --json` says. */
export interface LabSummary {
  name: string;
  state: "up";
  kind: LabKind;
  sshConfig: string;
  /** A file with the `nodes:` part of a plan. */
  nodesFile: string;
  /** Bytes per second, each way, or null. */
  rate: number | null;
  nodes: { name: string; address: string }[];
}

export function summary(lab: LabState): LabSummary {
  const nodes = lab.nodes.map(({ name, address }) => ({ name, address }));
  return {
    name: lab.name,
    state: "up",
    kind: lab.launcher,
    sshConfig: lab.sshConfig,
    nodesFile: nodesFile(lab),
    rate: lab.rate,
    nodes,
  };
}

const nodesFile = (lab: LabState): string => `${lab.dir}/nodes.yaml`;

export function summaryLines(lab: LabState): string[] {
  const option = lab.name === "lab" ? "" : ` --name ${lab.name}`;
  return [
    `lab ${lab.name} is up: ${lab.nodes.map((node) => `${node.name} ${node.address}`).join(", ")}; links ${rateText(lab.rate)}${machineText(lab)}`,
    `  log in:   fastmig lab ssh ${lab.nodes[0]?.name ?? "a"}${option}   or: ${commandLine(["ssh", "-F", lab.sshConfig])} ${lab.nodes[0]?.name ?? "a"}`,
    `  in plans: export ${commandLine([`FASTMIG_SSH_CONFIG=${lab.sshConfig}`])}   and the nodes of ${nodesFile(lab)}`,
    `  end it:   fastmig lab down${option}`,
  ];
}

const machineText = (lab: LabState): string =>
  lab.launcher === "vm"
    ? `; machines of ${formatSize(lab.machine.memory)}, ${lab.machine.accelerator === "kvm" ? "by KVM" : "emulated (KVM does not work here)"}`
    : "";

const rateText = (rate: number | null): string => (rate === null ? "unshaped" : formatRate(rate));

export function statusLines(found: LabStatus): string[] {
  if (found.state === "down") return [`lab ${found.name} is down`];
  const nodes = found.nodes.map((node) => `  ${node.name} ${node.address} ${node.up ? "up" : "down"}`);
  return [`lab ${found.name} is ${found.state}; links ${rateText(found.rate)}`, ...nodes];
}
