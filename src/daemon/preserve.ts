/** Paths that travel with the memory: packed while the tree is frozen, put in place before it is restored. */
import { type Readable } from "node:stream";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { exists } from "./at-once.js";
import { runCommand, tail } from "./command.js";

export const preservedArchive = "preserve.tar";

/** What both directions keep: owners by number, extended attributes, ACLs, holes. */
const faithful = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls", "--sparse"];
/** Who is not root takes what he may read, makes files of his own, and leaves directories of others as they are. */
const plain = ["--sparse", "--xattrs", "--xattrs-include=user.*"];

const ways = {
  root: { create: faithful, extract: [...faithful, "--same-permissions", "--same-owner"] },
  others: {
    create: [...plain, "--ignore-failed-read"],
    extract: [...plain, "--same-permissions", "--no-same-owner", "--no-overwrite-dir"],
  },
};
const way = process.getuid?.() === 0 ? ways.root : ways.others;
const extract = ["--extract", ...way.extract, "--directory", "/"];

/** Those that are there: the service may not have made one yet. */
export async function preservable(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => there[index]);
}

const members = (paths: readonly string[]): string[] => paths.map((path) => `.${path}`);

/** @param archive a file, or a pipe that somebody reads. */
export async function packInto(archive: string, paths: readonly string[]): Promise<void> {
  await tar(["--create", "--file", archive, ...way.create, "--directory", "/", "--", ...members(paths)]);
}

/** For a hand-over: beside the images. */
export async function packPreserved(imagesDirectory: string, paths: readonly string[]): Promise<void> {
  const there = await preservable(paths);
  if (there.length > 0) await packInto(join(imagesDirectory, preservedArchive), there);
}

/** Bytes that the paths take, holes left out. */
export async function sizeOnDisk(paths: readonly string[]): Promise<number> {
  const there = await preservable(paths);
  if (there.length === 0) return 0;
  const { output } = await runCommand(["du", "--summarize", "--block-size=1", "--total", "--", ...there]);
  return Number(/^(\d+)\s+total$/m.exec(output)?.[1] ?? 0);
}

export async function unpackPreserved(imagesDirectory: string): Promise<void> {
  const archive = join(imagesDirectory, preservedArchive);
  if (await exists(archive)) await tar([...extract, "--file", archive]);
}

/**
 * From an archive that somebody else made: nothing but these paths and what is below them is written, whatever it holds.
 * Rejects where one of them is not in it.
 */
export async function unpackOnly(archive: Readable, paths: readonly string[]): Promise<void> {
  const child = spawn("tar", [...extract, "--file", "-", "--", ...members(paths)], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  child.stdin.on("error", () => undefined);
  archive.pipe(child.stdin);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new Error(`tar --extract ended with ${code}: ${tail(said, 5).join("; ")}`);
}

async function tar(args: readonly string[]): Promise<void> {
  const { code, output } = await runCommand(["tar", ...args]);
  // 1: a file changed while it was read, which a frozen tree cannot do: another process of the container did.
  if (code !== 0) throw new Error(`tar ${args[0] ?? ""} ended with ${code}: ${tail(output, 5).join("; ")}`);
}
