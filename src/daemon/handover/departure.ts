/** What the source finds out about its tree: before the freeze, whether it can go; in it, what the other side must know. */
import type { ExpectRequest, FinalRequest } from "../api.js";
import type { TreeOwner } from "../engine.js";
import { makeImages } from "../images.js";
import { headroom, memoryFacts } from "../memory.js";
import { highestId, type ProcessStat } from "../procfs.js";
import type { HandOverDeps } from "./half.js";
import { pipesOf, treeOwner } from "./tree-facts.js";

/** PIDs between the tree's highest and the cursor at the destination: it may still fork until it is frozen. */
const cursorMargin = 64;
/** Bytes of CRIU's own records beside the memory's pages. */
const imageOverhead = 16 * 1024 * 1024;

/** Processes that left the tree because their parent ended: a dump of the tree would leave them behind. */
export async function refuseStrays({ processes, service }: HandOverDeps): Promise<void> {
  const children = await processes.init.list();
  const ours = children.filter((child) => child.name !== "-").map((child) => child.pid);
  const strays = await service.strays(new Set([...ours, process.pid]));
  if (strays.length === 0) return;
  const pids = strays.map((stray) => stray.pid).join(", ");
  throw new Error(
    `processes ${pids} left the service's tree (their parent ended): a dump would leave them behind`,
  );
}

/** Makes the directory for the images; answers how many bytes they may become, and where. */
export async function makeRoom(
  { paths, service }: HandOverDeps,
  id: string,
): Promise<{ bytes: number; images: string }> {
  const tree = await service.describeTree();
  const bytes = tree.reduce((sum, process) => sum + process.rss, imageOverhead);
  const room = { memory: headroom(await memoryFacts()), reserve: 0 };
  return { bytes, images: await makeImages(paths, id, bytes, room) };
}

export async function expectation(
  epoch: number,
  tree: readonly ProcessStat[],
  { uid, gid }: TreeOwner,
  bytes: number,
): Promise<ExpectRequest> {
  const highest = await highestId(tree.map((process) => process.pid));
  return { epoch, highestPid: highest + cursorMargin, uid, gid, bytes };
}

/** The frozen tree, as the destination has to find it again. */
export async function treeFacts(
  { processes }: HandOverDeps,
  tree: readonly ProcessStat[],
): Promise<FinalRequest["tree"]> {
  const pids = tree.map((process) => process.pid);
  const { uid, gid, groups } = await treeOwner(tree);
  const pipes = await pipesOf(tree, await processes.init.pipes());
  return {
    rootPid: pids[0] ?? 0,
    highestPid: await highestId(pids),
    uid,
    gid,
    groups: [...groups],
    stdoutInode: pipes.stdout,
    stderrInode: pipes.stderr,
  };
}
