import { readText } from "../at-once.js";
import type { DumpedPipes, TreeOwner } from "../engine.js";
import type { PipeInodes } from "../init-client.js";
import { orGone, pipeInodes, type ProcessId } from "../procfs.js";

/** Real user and group ids and supplementary groups of one process. */
async function ownerOf(pid: number): Promise<TreeOwner | undefined> {
  const status = await orGone(readText(`/proc/${pid}/status`));
  if (status === undefined) return undefined;
  const numbers = (key: string): number[] =>
    (new RegExp(`^${key}:(.*)$`, "m").exec(status)?.[1] ?? "").split(/\s+/).filter(Boolean).map(Number);
  return { uid: numbers("Uid")[0] ?? 0, gid: numbers("Gid")[0] ?? 0, groups: numbers("Groups") };
}

/** Whose tree it is. Throws where its processes belong to several users: one CRIU can read only one user's. */
export async function treeOwner(tree: readonly ProcessId[]): Promise<TreeOwner> {
  // A process that ended since it was listed belongs to nobody.
  const owners = (await Promise.all(tree.map((process) => ownerOf(process.pid)))).filter(
    (owner) => owner !== undefined,
  );
  const [first, ...rest] = owners;
  if (first === undefined) throw new Error("the service is not running");
  const other = rest.find((owner) => owner.uid !== first.uid);
  if (other === undefined) return first;
  throw new Error(
    `the service's processes belong to several users (${first.uid} and ${other.uid}): such a tree cannot be dumped`,
  );
}

/** Which of the kept pipes anybody in the tree has open. */
export async function pipesOf(tree: readonly ProcessId[], kept: PipeInodes): Promise<DumpedPipes> {
  const open = await Promise.all(tree.map((process) => pipeInodes(process.pid)));
  const has = (inode: number): boolean => open.some((inodes) => inodes.has(inode));
  return { stdout: has(kept.stdout) ? kept.stdout : null, stderr: has(kept.stderr) ? kept.stderr : null };
}
