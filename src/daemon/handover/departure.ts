/** What the source finds out about its tree: before the freeze, whether it can go; in it, what the other side must know. */
import { join } from "node:path";
import type { ExpectRequest, FinalRequest, OpenMigration, TreeRun } from "../api.js";
import { sumOf } from "../../sum.js";
import { notedClocks } from "../clocks.js";
import { isCriuSession } from "../criu-pids.js";
import { makeImages } from "../images.js";
import { headroom, memoryFacts } from "../memory.js";
import { pagesSizes, reserveMemory } from "../preallocate.js";
import { highestId, type ProcessStat } from "../procfs.js";
import type { HandOverDeps, RunDeps } from "./half.js";
import { sizeOnDisk } from "../preserve.js";
import { pipesOf, treeOwner } from "./tree-facts.js";
import { writeTree } from "./tree-file.js";

/** PIDs between the tree's highest and the cursor at the destination: it may still fork until it is frozen. */
const cursorMargin = 64;
/** Bytes of CRIU's own records beside the memory's pages. */
const imageOverhead = 16 * 1024 * 1024;

/**
 * Processes that left the tree because their parent ended: a dump of the tree would leave them behind. What a killed CRIU left
 * is ended here, before the next CRIU: its probes of the kernel sleep for ever.
 */
export async function refuseStrays({ processes, service }: RunDeps): Promise<void> {
  const children = await processes.init.list();
  const ours = children.filter((child) => child.name !== "-").map((child) => child.pid);
  const strays = await service.strays(new Set([...ours, process.pid]));
  for (const { pid, session } of strays) if (isCriuSession(session)) await processes.kill(pid, 9);
  const theirs = strays.filter(({ session }) => !isCriuSession(session));
  if (theirs.length === 0) return;
  const pids = theirs.map((stray) => stray.pid).join(", ");
  throw new Error(
    `processes ${pids} left the service's tree (their parent ended): a dump would leave them behind`,
  );
}

/** What is about to be dumped. */
export interface Leg {
  /** Null: the final dump. */
  round: number | null;
  /** What a final dump builds on. */
  chain: ExpectRequest["chain"];
  preserve: readonly string[];
}

/** Makes the directory for the images; answers where it is, and what the peer has to make room for. */
async function makeRoom(
  { paths, service }: HandOverDeps,
  id: string,
  { round, chain, preserve }: Leg,
): Promise<
  { images: string } & Pick<ExpectRequest, "round" | "chain" | "bytes" | "tree" | "reserve" | "pages">
> {
  const rss = (await service.describeTree()).map((process) => process.rss);
  const tree = sumOf(rss);
  // At the worst every page is written between two dumps. After a round the final dump has to fit too.
  const once = tree + imageOverhead;
  const bytes = round === null ? once + (await sizeOnDisk(preserve)) : 2 * once;
  const into = round === null ? "final" : String(round);
  const room = { memory: headroom(await memoryFacts()), reserve: 0 };
  const images = await makeImages(paths, id, { bytes, into }, room);
  const pages = round === null ? await expectedPages(images, chain, rss) : [];
  return { images, round, chain, bytes, tree, reserve: reserveFor(chain, round, tree), pages };
}

/** None after rounds: while it is taken the service writes on, and what it writes costs the freeze more than the reserve saves. */
function reserveFor(chain: Leg["chain"], round: number | null, tree: number): number {
  return round === null && chain.length === 0 ? tree : 0;
}

/** After rounds about as much as the last one brought, and a quarter more; CRIU numbers its page images by process each time. */
async function expectedPages(images: string, chain: Leg["chain"], rss: number[]): Promise<number[]> {
  const last = chain.at(-1);
  if (last === undefined) return rss;
  return (await pagesSizes(join(images, String(last)))).map((size) => Math.ceil(size * 1.25));
}

/** Everything that can be known before the freeze. Throws where the tree cannot be moved; the service runs on. */
export async function prepareDeparture(
  deps: HandOverDeps,
  { id, epoch }: OpenMigration,
  leg: Leg,
): Promise<{ images: string; expected: ExpectRequest }> {
  const tree = await deps.service.tree();
  const owner = await treeOwner(tree);
  await refuseStrays(deps);
  const { images, ...room } = await makeRoom(deps, id, leg);
  await deps.engine.warm(owner);
  const highest = await highestId(tree.map((process) => process.pid));
  const run = await treeRun(deps, tree);
  return { images, expected: { epoch, highestPid: highest + cursorMargin, ...run, ...room } };
}

/** What the final dump will write; where it fails nothing is lost but time. */
export async function reserveForDump(
  images: string,
  { reserve, pages, bytes }: ExpectRequest,
): Promise<void> {
  if (reserve > 0) await reserveMemory(images, sumOf(pages), bytes);
}

/** In the freeze: writes down whose death is the proof, and answers what the other side must know. */
export async function noteTree(deps: RunDeps, directory: string): Promise<FinalRequest["tree"]> {
  const tree = await deps.service.tree();
  const processes = tree.map(({ pid, startTicks }) => ({ pid, startTicks }));
  const facts = { ...(await treeFacts(deps, tree)), clocks: await notedClocks(directory) };
  await writeTree(directory, { life: deps.life, facts, processes });
  return facts;
}

/** The frozen tree, as the destination has to find it again. */
async function treeFacts(
  deps: RunDeps,
  tree: readonly ProcessStat[],
): Promise<Omit<FinalRequest["tree"], "clocks">> {
  const pids = tree.map((process) => process.pid);
  return { rootPid: pids[0] ?? 0, highestPid: await highestId(pids), ...(await treeRun(deps, tree)) };
}

/** What CRIU has to be started with to restore it. */
async function treeRun({ processes }: RunDeps, tree: readonly ProcessStat[]): Promise<TreeRun> {
  const { uid, gid, groups } = await treeOwner(tree);
  const pipes = await pipesOf(tree, await processes.init.pipes());
  return { uid, gid, groups: [...groups], stdoutInode: pipes.stdout, stderrInode: pipes.stderr };
}
