/** Where an image's objects, or pipes to them, are on this machine while it is made or read. One at a time. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Access } from "../../image/store/access.js";
import { openStore } from "../../image/store/open.js";
import type { Store } from "../../image/store/store.js";
import { parseImageUrl } from "../../image/url.js";
import { makeDirectory } from "../at-once.js";
import type { DaemonPaths } from "../paths.js";

/** On the disk: an image may be larger than what memory is left. */
const directoryOf = (paths: DaemonPaths): string => join(paths.state, "objects");

/** Of the daemon alone, and empty. */
export async function makeObjects(paths: DaemonPaths): Promise<string> {
  await removeObjects(paths);
  await makeDirectory(directoryOf(paths));
  return directoryOf(paths);
}

export async function removeObjects(paths: DaemonPaths): Promise<void> {
  await rm(directoryOf(paths), { recursive: true, force: true });
}

/** Stores are reached with what came along, and else as this container reaches them. */
export const accessWith = (access: Access): Access => ({ ...process.env, ...access });

/** Throws IMAGE_URL. */
export function storeFor(url: string, access: Access): Promise<Store> {
  return openStore(parseImageUrl(url), accessWith(access));
}
