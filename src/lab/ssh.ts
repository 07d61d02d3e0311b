import { execa } from "execa";
import { commandLine, type Argv } from "../argv.js";
import { words } from "./run.js";
import { labNode, type LabState } from "./state.js";

/** A command on a node by the `ssh` binary; without a command a login. */
export function sshArgv(state: LabState, name: string, command: Argv = [], options: Argv = []): Argv {
  const node = labNode(state, name);
  return [
    "ssh",
    "-F",
    state.sshConfig,
    ...options,
    node.name,
    ...(command.length === 0 ? [] : ["--", commandLine(command)]),
  ];
}

export interface Session {
  /** As `ssh` has it: the command's own, or 255 where there was no connection. */
  exitCode: number;
  /** Empty where the caller's streams were used. */
  stdout: string;
  stderr: string;
}

/** Runs a command, or a login, on a node: with the caller's own streams, or with its output kept. */
export async function session(
  state: LabState,
  name: string,
  command: Argv,
  streams: "inherit" | "pipe",
): Promise<Session> {
  const [file, ...args] = words(sshArgv(state, name, command));
  const result = await execa(file, args, {
    stdin: "inherit",
    stdout: streams,
    stderr: streams,
    reject: false,
  });
  return { exitCode: result.exitCode ?? 255, stdout: result.stdout ?? "", stderr: result.stderr ?? "" };
}
