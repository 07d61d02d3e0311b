import { rm } from "node:fs/promises";
import { join } from "node:path";
import { FastmigError, exitCodes } from "../errors.js";
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
import { ensureGround, groundIn, sameDisks, type Ground } from "./ground.js";
import { ensureKeys } from "./keys.js";
import { withLock } from "./lock.js";
import { isNamespace, namespaceFile, noteGround } from "./namespaces.js";
import { ensureController, ensureMember, ensureSwitch, switchName } from "./network.js";
import { ensureNode, stopNode } from "./node.js";
import { cacheDir, labPaths, type LabPaths } from "./paths.js";
import { obstacle } from "./requirements.js";
import type { Say } from "./root.js";
import { setRate } from "./shape.js";
import { writeAccess } from "./ssh-config.js";
import { readState, writeState, type LabKind, type LabNode, type LabState } from "./state.js";

export interface UpOptions {
  /** Default: `lab`. */
  name?: string;
  /** Default: what is up, else a and b. */
  nodes?: readonly string[];
  /** Default: what is up, else namespaces. */
  kind?: LabKind | undefined;
  /** Bytes of memory of each machine of a new lab; default 3 GiB. */
  memory?: number | undefined;
  /** Bytes per second each way on every node's link; null lifts a rate; default: as it is. */
  rate?: number | null;
  /** Told of what takes long. */
  say?: Say;
}

const defaultMemory = 3 * 2 ** 30;

/** How long somebody else's up or down of the same lab may take, in milliseconds. */
export const patience = 10 * 60_000;

/**
 * Raises a lab, or brings a running one, or what a killed predecessor left, to what is asked for; heals every cut.
 * Throws LAB_ROOT, LAB_PACKAGES, LAB_DISK … where this machine cannot.
 */
export async function up(options: UpOptions = {}): Promise<LabState> {
  const paths = labPaths(options.name ?? "lab");
  if (options.nodes !== undefined) checkNodeNames(options.nodes);
  const kind = options.kind ?? (await readState(paths))?.launcher ?? "namespaces";
  const reason = await obstacle();
  if (reason !== undefined) throw reason;
  await requireDisk(cacheDir(), "XDG_CACHE_HOME");
  await requireDisk(paths.dir, "XDG_STATE_HOME");
  const say = options.say ?? (() => undefined);
  const ground = await ensureGround(kind, options.memory ?? defaultMemory, say);
  return withLock(paths.dir, patience, () => raise(paths, ground, options));
}

async function raise(paths: LabPaths, ground: Ground, options: UpOptions): Promise<LabState> {
  const before = await readState(paths);
  const state = await withLock("the choice of a network", 60_000, () =>
    connect(paths, ground, before, options),
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
  ground: Ground,
  before: LabState | undefined,
  options: UpOptions,
): Promise<LabState> {
  const running = await isNamespace(namespaceFile(paths, switchName));
  if (running && before !== undefined && before.launcher !== ground.launcher) throw otherKind(before);
  const state = plan(paths, wish(before, options), running && before ? before : fresh(paths, ground));
  await writeState(state);
  await noteGround(state, state.root);
  await ensureSwitch(state);
  await ensureController(state);
  await healAll(state);
  return state;
}

type Site = Ground & Pick<LabState, "network" | "nodes">;

const fresh = (paths: LabPaths, ground: Ground): Site => ({
  ...ground,
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
function plan(paths: LabPaths, { names, rate }: ReturnType<typeof wish>, site: Site): LabState {
  const { network } = site;
  return {
    schemaVersion: 1,
    ...groundIn(site),
    ...paths,
    network,
    controller: { address: controllerAddress(network) },
    client: { address: clientAddress(network) },
    sshConfig: join(paths.dir, "ssh_config"),
    nodes: assign(paths, network, names, site.nodes),
    rate,
  };
}

function otherKind({ name, launcher }: LabState): FastmigError {
  return new FastmigError(`the lab "${name}" is up, and of the other kind: ${launcher}`, {
    code: "LAB_KIND",
    exit: exitCodes.usage,
    hint: `fastmig lab down --name ${name}, or another --name`,
  });
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
    const wanted = state.nodes.some((each) => each.name === node.name);
    const stays = wanted && before !== undefined && sameDisks(before, state);
    if (stays) continue;
    await stopNode(state, node.name);
    await rm(node.dir, { recursive: true, force: true });
  }
}
