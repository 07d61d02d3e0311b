import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.js";
import { cacheDir } from "./paths.js";

/** Milliseconds to wait for somebody else who builds the same thing: a root file system from a slow mirror. */
const patience = 30 * 60_000;

/**
 * A file or directory of the cache, built by `build` where it is missing: beside its place and renamed into
 * it last, so that whatever has its name is whole. Left-overs of a killed build are removed first.
 */
export async function cached(name: string, build: (beside: string) => Promise<void>): Promise<string> {
  const path = join(cacheDir(), name);
  if (await exists(path)) return path;
  await mkdir(cacheDir(), { recursive: true });
  return withLock(path, patience, async () => {
    if (await exists(path)) return path;
    const beside = join(cacheDir(), `.partial-${name}`);
    await rm(beside, { recursive: true, force: true });
    await build(beside);
    await rename(beside, path);
    return path;
  });
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
