/** What the source finds out about its tree: before the freeze, whether it can go; in it, what the other side must know. */
import type { ExpectRequest, FinalRequest, OpenMigration } from "../api.js";
import { makeImages } from "../images.js";
import { headroom, memoryFacts } from "../memory.js";
import { highestId, type ProcessStat } from "../procfs.js";
import type { HandOverDeps } from "./half.js";
import { packPreserved, sizeOnDisk } from "./preserve.js";
import { pipesOf, treeOwner } from "./tree-facts.js";
import { writeTree } from "./tree-file.js";

/** PIDs between the tree's highest and the cursor at the destination: it may still fork until it is frozen. */
const cursorMargin = 64;
/** Bytes of CRIU's own records beside the memory's pages. */
const imageOverhead = 16 * 1024 * 1024;

/** Processes that left the tree because their parent ended: a dump of the tree would leave them behind. */
async function refuseStrays({ processes, service }: HandOverDeps): Promise<void> {
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
async function makeRoom(
  { paths, service }: HandOverDeps,
  id: string,
  preserve: readonly string[],
): Promise<{ bytes: number; pages: number[]; images: string }> {
  const pages = (await service.describeTree()).map((process) => process.rss);
  const files = await sizeOnDisk(preserve);
  const bytes = pages.reduce((sum, rss) => sum + rss, imageOverhead + files);
  const room = { memory: headroom(await memoryFacts()), reserve: 0 };
  const images = await makeImages(paths, id, bytes, room);
  return { bytes, pages, images };
}

/** Everything that can be known before the freeze. Throws where the tree cannot be moved; the service runs on. */
export async function prepareDeparture(
  deps: HandOverDeps,
  { id, epoch }: OpenMigration,
  preserve: readonly string[],
): Promise<{ images: string; expected: ExpectRequest }> {
  const tree = await deps.service.tree();
  const owner = await treeOwner(tree);
  await refuseStrays(deps);
  const { bytes, pages, images } = await makeRoom(deps, id, preserve);
  await deps.engine.warm(owner);
  const highest = await highestId(tree.map((process) => process.pid));
  const { uid, gid } = owner;
  return { images, expected: { epoch, highestPid: highest + cursorMargin, uid, gid, bytes, pages } };
}

/** In the freeze: writes down whose death is the proof, packs what travels along, and answers what the other side must know. */
export async function packUp(
  deps: HandOverDeps,
  directory: string,
  images: string,
  preserve: readonly string[],
): Promise<FinalRequest["tree"]> {
  const tree = await deps.service.tree();
  const processes = tree.map(({ pid, startTicks }) => ({ pid, startTicks }));
  const facts = await treeFacts(deps, tree);
  await Promise.all([
    writeTree(directory, { life: deps.life, facts, processes }),
    packPreserved(images, preserve),
  ]);
  return facts;
}

/** The frozen tree, as the destination has to find it again. */
async function treeFacts(
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
