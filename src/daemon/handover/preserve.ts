/** Paths that travel with the memory: packed while the tree is frozen, put in place before it is restored. */
import { join } from "node:path";
import { exists } from "../at-once.js";
import { runCommand, tail } from "../command.js";

export const preservedArchive = "preserve.tar";

/** What both directions keep: owners by number, extended attributes, ACLs, holes. */
const faithful = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "--sparse"];

/** A path that does not exist is left out: the service may not have made it yet. */
export async function packPreserved(imagesDirectory: string, paths: readonly string[]): Promise<void> {
  const there = await Promise.all(paths.map(exists));
  const members = paths.filter((_, index) => there[index]).map((path) => `.${path}`);
  if (members.length === 0) return;
  const archive = join(imagesDirectory, preservedArchive);
  await tar(["--create", "--file", archive, ...faithful, "--directory", "/", "--", ...members]);
}

/** Bytes that the paths take, holes left out. */
export async function sizeOnDisk(paths: readonly string[]): Promise<number> {
  const there = await Promise.all(paths.map(exists));
  const members = paths.filter((_, index) => there[index]);
  if (members.length === 0) return 0;
  const { output } = await runCommand(["du", "--summarize", "--block-size=1", "--total", "--", ...members]);
  return Number(/^(\d+)\s+total$/m.exec(output)?.[1] ?? 0);
}

export async function unpackPreserved(imagesDirectory: string): Promise<void> {
  const archive = join(imagesDirectory, preservedArchive);
  if (!(await exists(archive))) return;
  await tar([
    "--extract",
    "--file",
    archive,
    ...faithful,
    "--same-permissions",
    "--same-owner",
    "--directory",
    "/",
  ]);
}

async function tar(args: readonly string[]): Promise<void> {
  const { code, output } = await runCommand(["tar", ...args]);
  // 1: a file changed while it was read, which a frozen tree cannot do: another process of the container did.
  if (code !== 0) throw new Error(`tar ${args[0] ?? ""} ended with ${code}: ${tail(output, 5).join("; ")}`);
}
