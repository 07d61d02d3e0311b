import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  checkNodeNames,
  clientAddress,
  controllerAddress,
  freeNetwork,
  nodeAddress,
  usedAddresses,
} from "./addresses.js";
import { healAll } from "./cut.js";
import { requireDisk } from "./disk-check.js";
import { ensureKeys } from "./keys.js";
import { withLock } from "./lock.js";
import { isNamespace, namespaceFile, noteGround } from "./namespaces.js";
import { ensureController, ensureMember, ensureSwitch, switchName } from "./network.js";
import { ensureNode, stopNode } from "./node.js";
import { cacheDir, labPaths, type LabPaths } from "./paths.js";
import { obstacle } from "./requirements.js";
import { ensureRoot, type Say } from "./root.js";
import { setRate } from "./shape.js";
import { writeAccess } from "./ssh-config.js";
import { readState, writeState, type LabNode, type LabState } from "./state.js";

export interface UpOptions {
  /** Default: `lab`. */
  name?: string;
  /** Default: what is up, else a and b. */
  nodes?: readonly string[];
  /** Bytes per second each way on every node's link; null lifts a rate; default: as it is. */
  rate?: number | null;
  /** Told of what takes long. */
  say?: Say;
}

/** How long somebody else's up or down of the same lab may take, in milliseconds. */
export const patience = 10 * 60_000;

/**
 * Raises a lab, or brings a running one, or what a killed predecessor left, to what is asked for; heals every cut.
 * Throws LAB_ROOT, LAB_PACKAGES, LAB_DISK … where this machine cannot.
 */
export async function up(options: UpOptions = {}): Promise<LabState> {
  const paths = labPaths(options.name ?? "lab");
  if (options.nodes !== undefined) checkNodeNames(options.nodes);
  const reason = await obstacle();
  if (reason !== undefined) throw reason;
  await requireDisk(cacheDir(), "XDG_CACHE_HOME");
  await requireDisk(paths.dir, "XDG_STATE_HOME");
  const root = await ensureRoot(options.say ?? (() => undefined));
  return withLock(paths.dir, patience, () => raise(paths, root, options));
}

async function raise(paths: LabPaths, root: string, options: UpOptions): Promise<LabState> {
  const before = await readState(paths);
  const state = await withLock("the choice of a network", 60_000, () =>
    connect(paths, root, before, options),
  );
  await removeSurplus(before, state);
  await ensureKeys(state);
  await writeAccess(state);
  await ensureMember(state, "client", state.client.address);
  await Promise.all(state.nodes.map((node) => ensureNode(state, node.name)));
  return setRate(state, state.rate);
}

/** Written down before it is used; the lock ends when this machine shows that the network is taken. */
async function connect(
  paths: LabPaths,
  root: string,
  before: LabState | undefined,
  options: UpOptions,
): Promise<LabState> {
  const running = await isNamespace(namespaceFile(paths, switchName));
  const state = plan(paths, wish(before, options), running && before ? before : fresh(paths, root));
  await writeState(state);
  await noteGround(state, state.root);
  await ensureSwitch(state);
  await ensureController(state);
  await healAll(state);
  return state;
}

type Ground = Pick<LabState, "root" | "network" | "nodes">;

const fresh = (paths: LabPaths, root: string): Ground => ({
  root,
  network: freeNetwork(paths.id, usedAddresses()),
  nodes: [],
});

/** What is asked for; what is not asked for stays as it was. */
function wish(
  before: LabState | undefined,
  options: UpOptions,
): { names: readonly string[]; rate: number | null } {
  const names = options.nodes ?? before?.nodes.map((node) => node.name) ?? ["a", "b"];
  return { names, rate: options.rate === undefined ? (before?.rate ?? null) : options.rate };
}

/** Pure: the lab to come, on the ground of what runs. */
function plan(paths: LabPaths, { names, rate }: ReturnType<typeof wish>, ground: Ground): LabState {
  const { root, network } = ground;
  return {
    schemaVersion: 1,
    launcher: "namespaces",
    ...paths,
    root,
    network,
    controller: { address: controllerAddress(network) },
    client: { address: clientAddress(network) },
    sshConfig: join(paths.dir, "ssh_config"),
    nodes: assign(paths, network, names, ground.nodes),
    rate,
  };
}

/** Pure: nodes that are up keep their addresses. */
export function assign(
  paths: Pick<LabPaths, "dir">,
  network: string,
  names: readonly string[],
  running: readonly LabNode[],
): LabNode[] {
  const kept = running.filter((node) => names.includes(node.name));
  return names.reduce<LabNode[]>((nodes, name) => {
    const taken = [...kept, ...nodes].map((node) => node.address);
    const known = kept.find((node) => node.name === name);
    return [
      ...nodes,
      known ?? { name, address: nodeAddress(network, taken), dir: join(paths.dir, "nodes", name) },
    ];
  }, []);
}

/** Nodes that are no longer wanted, and disks that were written over another root file system. */
async function removeSurplus(before: LabState | undefined, state: LabState): Promise<void> {
  for (const node of before?.nodes ?? []) {
    const stays = before?.root === state.root && state.nodes.some((each) => each.name === node.name);
    if (stays) continue;
    await stopNode(state, node.name);
    await rm(node.dir, { recursive: true, force: true });
  }
}
