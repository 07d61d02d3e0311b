import type { Argv } from "../../argv.js";
import { inNetwork, namespaceFile } from "../namespaces.js";
import { processNamed, type Process } from "../processes.js";
import { run, type RunOptions } from "../run.js";
import { sshArgv } from "../ssh.js";
import type { LabNode, LabState } from "../state.js";
import { backGuest } from "./network.js";

/** The QEMU of a node; undefined while the node is down. */
export function machineOf(state: LabState, name: string): Promise<Process | undefined> {
  return processNamed(namespaceFile(state, name), "qemu-system-x86");
}

/** By the back door, over one connection that stays: a handshake takes an emulated machine half a second. */
export function inMachine(state: LabState, node: LabNode, argv: Argv, options: RunOptions): Promise<string> {
  const ways = [
    `HostName=${backGuest(node)}`,
    `HostKeyAlias=${node.name}`,
    "BatchMode=yes",
    "ControlMaster=auto",
    "ControlPersist=yes",
    `ControlPath=${state.namespaces}/.${node.name}`,
  ];
  const ssh = sshArgv(
    state,
    node.name,
    argv,
    ways.flatMap((way) => ["-o", way]),
  );
  return run(inNetwork(state, node.name, ssh), options);
}
