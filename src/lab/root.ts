import { basename } from "node:path";
import { cached } from "./cache.js";
import { aptOptions, hostMirror } from "./mirror.js";
import { shortHash } from "./paths.js";
import { baseRecipe, mmdebstrap, nodeRecipe, qemuRecipe, type Recipe } from "./recipe.js";
import { confined, run } from "./run.js";

export type Say = (line: string) => void;

export const recipeKey = (recipe: Recipe): string => shortHash(JSON.stringify([recipe, process.arch]));

/** The directory with the nodes' root file system, made if it is missing (about a minute). */
export function ensureRoot(say: Say): Promise<string> {
  return ensure(`root-${recipeKey(nodeRecipe)}`, nodeRecipe, say);
}

/** The directory with the root file system that QEMU runs in, made if it is missing. */
export function ensureQemu(say: Say): Promise<string> {
  return ensure(`qemu-${recipeKey(qemuRecipe)}`, qemuRecipe, say);
}

/** A tar of the container base image `localhost/debian:trixie-slim`, made if it is missing. */
export function ensureBase(say: Say): Promise<string> {
  return ensure(`base-${recipeKey(baseRecipe)}.tar`, baseRecipe, say);
}

function ensure(name: string, recipe: Recipe, say: Say): Promise<string> {
  return cached(name, (beside) => buildRoot(recipe, beside, say));
}

/** Makes a root file system: a tar where the target's name says so, else a directory. */
export async function buildRoot(recipe: Recipe, target: string, say: Say): Promise<void> {
  const mirror = await hostMirror();
  say(`building ${basename(target).replace(".partial-", "")} from ${mirror}`);
  const format = target.endsWith(".tar") ? "tar" : "directory";
  await run(confined(mmdebstrap(recipe, { mirror, options: await aptOptions() }, format, target)));
}
