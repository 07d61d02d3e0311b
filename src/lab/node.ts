import { spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import { FastmigError, exitCodes } from "../errors.js";
import { WaitTimeout, waitFor } from "../wait.js";
import { moveToLaunchGroup, removeGroups } from "./cgroups.js";
import { prepareNamespaces } from "./namespace-node.js";
import { namespaceFile, removeNamespace } from "./namespaces.js";
import { ensureMember } from "./network.js";
import { initIn } from "./processes.js";
import { searchPath } from "./requirements.js";
import { attempt, type Attempt } from "./run.js";
import { shapeLink } from "./shape.js";
import { sshArgv } from "./ssh.js";
import { labNode, type LabNode, type LabState } from "./state.js";
import { machineOf } from "./vm/exec.js";
import { prepareMachine } from "./vm/machine.js";
import { ensureMachineLink } from "./vm/network.js";

/** Starts the node unless it runs and answers, be it slowly: what runs there would die with it. */
export async function ensureNode(state: LabState, name: string): Promise<void> {
  if (await answers(state, name, 15)) return;
  await stopNode(state, name);
  await startNode(state, name);
}

/** Whether the node's sshd lets us in within so many seconds. */
export async function answers(state: LabState, name: string, seconds = 3): Promise<boolean> {
  if (!(await isRunning(state, name))) return false;
  return (await login(state, name, seconds)).ok;
}

/** Whether there is a node at all, be it one that does not answer. */
async function isRunning(state: LabState, name: string): Promise<boolean> {
  const found = state.launcher === "vm" ? machineOf(state, name) : initIn(namespaceFile(state, name));
  return (await found.catch(() => undefined)) !== undefined;
}

function login(state: LabState, name: string, seconds: number): Promise<Attempt> {
  const options = ["-o", "BatchMode=yes", "-o", `ConnectTimeout=${seconds}`];
  return attempt(sshArgv(state, name, ["true"], options), { timeout: (seconds + 3) * 1000 });
}

/** Pulls the plug: every process of the node dies at once and its network is gone; its disk stays. */
export async function stopNode(state: LabState, name: string): Promise<void> {
  await removeNamespace(state, name);
  await removeGroups(state.id, name);
}

/** Boots a node that is stopped, on the disk it has. */
export async function startNode(state: LabState, name: string): Promise<void> {
  const node = labNode(state, name);
  if (state.launcher === "vm") await ensureMachineLink(state, node);
  else await ensureMember(state, name, node.address);
  await shapeLink(state, name);
  await launch(state, node, await prepare(state, node));
}

/** Writes the scripts that start the node; answers with the one to run. */
function prepare(state: LabState, node: LabNode): Promise<string> {
  return state.launcher === "vm" ? prepareMachine(state, node) : prepareNamespaces(state, node);
}

async function launch(state: LabState, node: LabNode, script: string): Promise<void> {
  const console = await open(`${node.dir}/console.log`, "w");
  const env = { PATH: searchPath.join(":"), LANG: "C.UTF-8" };
  const child = spawn("sh", [script], {
    detached: true,
    stdio: ["ignore", console.fd, console.fd],
    env,
    cwd: "/",
  });
  child.unref();
  await console.close();
  const ended = new AbortController();
  child.once("exit", () => ended.abort(new Error("it ended before anybody could log in")));
  await awaitLogin(state, node, ended.signal);
  if (state.launcher === "namespaces" && child.pid !== undefined)
    await moveToLaunchGroup(state.id, child.pid);
}

/** Milliseconds until a node answers, on a machine that is busy with other things. */
const bootTime = { namespaces: 20_000, vm: 120_000 };

async function awaitLogin(state: LabState, node: LabNode, signal: AbortSignal): Promise<void> {
  const look = async (): Promise<true> => {
    const result = await login(state, node.name, 2);
    if (result.ok) return true;
    throw new Error(`${result.how} ${result.said}`);
  };
  try {
    await waitFor(`SSH on node ${node.name}`, look, {
      timeout: bootTime[state.launcher],
      interval: 50,
      signal,
    });
  } catch (thrown) {
    throw thrown instanceof WaitTimeout || signal.aborted ? await notUp(node, thrown as Error) : thrown;
  }
}

async function notUp(node: LabNode, cause: Error): Promise<FastmigError> {
  const said = await readFile(`${node.dir}/console.log`, "utf8");
  return new FastmigError(`the lab's node ${node.name} did not come up: ${cause.message}`, {
    code: "LAB_NODE_START",
    exit: exitCodes.preflight,
    details: said.trimEnd().split("\n").slice(-20),
    hint: `the whole of it is in ${node.dir}/console.log`,
    cause,
  });
}
