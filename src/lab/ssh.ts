import type { Argv } from "../argv.js";
import { commandLine } from "../argv.js";
import { labNode, type LabState } from "./state.js";

/** A command on a node by the `ssh` binary; without a command a login. */
export function sshArgv(state: LabState, name: string, command: Argv = []): Argv {
  const node = labNode(state, name);
  return ["ssh", "-F", state.sshConfig, node.name, ...(command.length === 0 ? [] : ["--", commandLine(command)])];
}
