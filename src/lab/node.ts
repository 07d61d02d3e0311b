import { spawn } from "node:child_process";
import { copyFile, mkdir, open, readFile } from "node:fs/promises";
import { FastmigError, exitCodes } from "../errors.js";
import { WaitTimeout, waitFor } from "../wait.js";
import { bootScript, launchScript, ownDirectories } from "./boot.js";
import { hierarchies, isVersion1, makeGroups, moveToLaunchGroup, removeGroups } from "./cgroups.js";
import { writeAtomically, writeTree } from "./files.js";
import { hostKeyFile, identityFile } from "./keys.js";
import { namespaceFile, removeNamespace } from "./namespaces.js";
import { ensureMember } from "./network.js";
import { machineLimits, nodeFiles } from "./node-files.js";
import { initIn } from "./processes.js";
import { searchPath } from "./requirements.js";
import { attempt, type Attempt } from "./run.js";
import { shapeLink } from "./shape.js";
import { sshArgv } from "./ssh.js";
import { labNode, type LabNode, type LabState } from "./state.js";

/** Starts the node unless it runs and answers, be it slowly: what runs there would die with it. */
export async function ensureNode(state: LabState, name: string): Promise<void> {
  if (await answers(state, name, 15)) return;
  await stopNode(state, name);
  await startNode(state, name);
}

/** Whether the node's sshd lets us in within so many seconds. */
export async function answers(state: LabState, name: string, seconds = 3): Promise<boolean> {
  if ((await initIn(namespaceFile(state, name)).catch(() => undefined)) === undefined) return false;
  return (await login(state, name, seconds)).ok;
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
  await ensureMember(state, name, node.address);
  await shapeLink(state, name);
  await prepareDisk(state, node);
  await launch(state, node);
}

async function prepareDisk(state: LabState, node: LabNode): Promise<void> {
  for (const name of ["upper", "work", "root", ...Object.keys(ownDirectories)])
    await mkdir(`${node.dir}/${name}`, { recursive: true });
  const all = await hierarchies();
  const upper = `${node.dir}/upper`;
  await writeTree(upper, nodeFiles(state, await machineLimits(), isVersion1(all)));
  await writeTree(upper, {
    "etc/hostname": `${node.name}\n`,
    "etc/ssh/lab_authorized_keys": await publicKey(state),
  });
  await copyFile(hostKeyFile(state.dir, node.name), `${upper}/etc/ssh/lab_host_ed25519_key`);
  await writeAtomically(`${node.dir}/boot.sh`, bootScript(state.root, node, all));
}

function publicKey(state: LabState): Promise<string> {
  return readFile(`${identityFile(state.dir)}.pub`, "utf8");
}

async function launch(state: LabState, node: LabNode): Promise<void> {
  await writeAtomically(
    `${node.dir}/launch.sh`,
    launchScript(state, node, await makeGroups(state.id, node.name)),
  );
  const console = await open(`${node.dir}/console.log`, "w");
  const env = { PATH: searchPath.join(":"), LANG: "C.UTF-8" };
  const child = spawn("sh", [`${node.dir}/launch.sh`], {
    detached: true,
    stdio: ["ignore", console.fd, console.fd],
    env,
    cwd: "/",
  });
  child.unref();
  await console.close();
  await awaitLogin(state, node);
  if (child.pid !== undefined) await moveToLaunchGroup(state.id, child.pid);
}

async function awaitLogin(state: LabState, node: LabNode): Promise<void> {
  const look = async (): Promise<true> => {
    const result = await login(state, node.name, 2);
    if (result.ok) return true;
    throw new Error(`${result.how} ${result.said}`);
  };
  try {
    await waitFor(`SSH on node ${node.name}`, look, { timeout: 20_000, interval: 50 });
  } catch (thrown) {
    throw thrown instanceof WaitTimeout ? await notUp(node, thrown) : thrown;
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
