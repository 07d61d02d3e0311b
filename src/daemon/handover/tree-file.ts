import { join } from "node:path";
import * as z from "zod/mini";
import { FinalRequest, type OpenMigration, type ReleaseProof } from "../api.js";
import { readIfThere, replaceDurably } from "../durable.js";
import { isDead, type ProcessId } from "../procfs.js";
import type { Service } from "../service.js";

const DumpedTree = z.object({
  life: z.string(),
  /** Whose it is, and which pipes it had: what a restore needs, here or there. Null where it was not looked at yet. */
  facts: z.nullable(FinalRequest.shape.tree),
  /** The root first. */
  processes: z.array(z.object({ pid: z.int(), startTicks: z.int() })),
});
/** Every process of the dump, written down before any verdict: whose death is the proof. */
export type DumpedTree = z.infer<typeof DumpedTree>;

const treeFile = (directory: string): string => join(directory, "tree.json");

export async function writeTree(directory: string, tree: DumpedTree): Promise<void> {
  await replaceDurably(treeFile(directory), JSON.stringify(tree));
}

export async function readTreeFile(directory: string): Promise<DumpedTree | undefined> {
  const text = await readIfThere(treeFile(directory));
  return text === undefined ? undefined : DumpedTree.parse(JSON.parse(text));
}

/** As it was written down. Before that nothing was released: the root alone says whether the service lives. */
export async function dumpedTree(
  { life, service }: { life: string; service: Pick<Service, "process"> },
  directory: string,
): Promise<DumpedTree> {
  const root = service.process;
  const processes = root === undefined ? [] : [{ pid: root.pid, startTicks: root.startTicks }];
  return (await readTreeFile(directory)) ?? { life, facts: null, processes };
}

/** Only where every process of the tree is dead. */
export function deathProof({ id, epoch }: OpenMigration, { processes }: DumpedTree): ReleaseProof {
  return { id, epoch, kind: "dead", pids: processes.map(({ pid }) => pid) };
}

/** The processes that are still alive. All of an earlier life of the container are dead. */
export async function survivors(tree: DumpedTree, life: string): Promise<ProcessId[]> {
  if (tree.life !== life) return [];
  const dead = await Promise.all(tree.processes.map(isDead));
  return tree.processes.filter((_, index) => !dead[index]);
}
