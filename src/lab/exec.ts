import type { ResultPromise } from "execa";
import type { Argv } from "../argv.js";
import { FastmigError, exitCodes } from "../errors.js";
import { leaf } from "./boot.js";
import { inNetwork, namespaceFile } from "./namespaces.js";
import { initIn } from "./processes.js";
import { run, start, type RunOptions } from "./run.js";
import { labNode, type LabState } from "./state.js";
import { inMachine, machineOf } from "./vm/exec.js";

/** Standard output of a command run by root in a node, past SSH: for setting a scene, never for the thing itself. */
export async function inNode(
  state: LabState,
  name: string,
  argv: Argv,
  options: RunOptions = {},
): Promise<string> {
  const node = labNode(state, name);
  if (state.launcher === "vm") {
    if ((await machineOf(state, node.name).catch(() => undefined)) === undefined) throw nodeDown(name);
    return inMachine(state, node, argv, options);
  }
  const init = await initIn(namespaceFile(state, node.name));
  if (init === undefined) throw nodeDown(name);
  return run(
    [
      "nsenter",
      "-t",
      String(init.pid),
      "-m",
      "-u",
      "-i",
      "-n",
      "-p",
      "-T",
      "-C",
      "-r",
      "-w",
      ...joined(argv),
    ],
    options,
  );
}

function nodeDown(name: string): FastmigError {
  return new FastmigError(`the lab's node ${name} is down`, {
    code: "LAB_NODE_DOWN",
    exit: exitCodes.unreachable,
    hint: "fastmig lab up",
  });
}

/** Commands from outside join the node's own cgroups: an engine started elsewhere would miss its groups. */
const join = `\
for procs in /sys/fs/cgroup/${leaf}/cgroup.procs /sys/fs/cgroup/*/${leaf}/cgroup.procs; do
  [ ! -w "$procs" ] || echo $$ > "$procs"
done
exec "$@"`;

/** As at a root login: nothing of the caller's environment goes along. */
const environment = [
  "env",
  "-i",
  "HOME=/root",
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
];

const joined = (argv: Argv): Argv => [
  ...environment,
  "PODMAN_IGNORE_CGROUPSV1_WARNING=1",
  "sh",
  "-c",
  join,
  "sh",
  ...argv,
];

/** Starts a program of this machine in the client's place in the network. It rejects when the program fails. */
export function inClient(state: LabState, argv: Argv): ResultPromise<{ stdin: "pipe" }> {
  return start(inNetwork(state, "client", argv));
}
