/**
 * The service's clocks: the library that its programs are started with (native/time) adds to the host's what stands in a file, and
 * the hook, which notes them in the freeze, sets them where the service comes back.
 */
import { join } from "node:path";
import type { Clocks } from "./api.js";
import { chown, removeFile, writeBytes, writeText } from "./at-once.js";
import { readIfThere } from "./durable.js";
import type { DaemonPaths } from "./paths.js";

export const clockLibrary = "/usr/lib/fastmig/libfastmig-time.so";
/** A generation and three clocks, 64 bits each: `struct offsets` of native/time/table.h. */
const offsetsSize = 4 * 8;
const names = ["monotonic", "monotonicRaw", "boottime"] as const;

const offsetsFile = (paths: DaemonPaths): string => join(paths.images, "clocks");
/** Written by the hook when the tree is frozen, read by it when the tree has come back. */
const noteFile = (directory: string): string => join(directory, "clocks");

/** Where the library and the hook look. */
export function clockVariables(paths: DaemonPaths): Record<string, string> {
  return { FASTMIG_TIME: offsetsFile(paths) };
}

/** A service that is started goes by the host's clocks: from there they go on wherever it is moved. */
export async function startClocks(
  paths: DaemonPaths,
  { virtualTime, env }: { virtualTime?: boolean | undefined; env: Record<string, string> },
): Promise<Record<string, string>> {
  if (virtualTime === false) {
    await removeFile(offsetsFile(paths));
    return {};
  }
  await writeBytes(offsetsFile(paths), Buffer.alloc(offsetsSize), 0o644);
  const preloaded = [clockLibrary, env["LD_PRELOAD"]].filter((path) => path !== undefined && path !== "");
  return { LD_PRELOAD: preloaded.join(":"), ...clockVariables(paths) };
}

/** What the hook noted in the freeze; null: the service goes by its host's clocks. */
export async function notedClocks(directory: string): Promise<Clocks | null> {
  const text = await readIfThere(noteFile(directory));
  if (text === undefined) return null;
  const [monotonic = "", monotonicRaw = "", boottime = ""] = text.trimEnd().split(" ");
  return { monotonic, monotonicRaw, boottime };
}

/** Before the hook may set them. What they are set by is the service's: the hook is its user. */
export async function expectClocks(
  paths: DaemonPaths,
  directory: string,
  { clocks, uid, gid }: { clocks: Clocks | null; uid: number; gid: number },
): Promise<void> {
  if (clocks === null) {
    await Promise.all([offsetsFile(paths), noteFile(directory)].map(removeFile));
    return;
  }
  await writeText(noteFile(directory), `${names.map((name) => clocks[name]).join(" ")}\n`, 0o644);
  await writeBytes(offsetsFile(paths), Buffer.alloc(offsetsSize), 0o644);
  await chown(offsetsFile(paths), uid, gid);
}
