import { cached } from "./cache.js";
import { aptOptions, hostMirror } from "./mirror.js";
import { shortHash } from "./paths.js";
import { baseRecipe, mmdebstrap, nodeRecipe, type Recipe } from "./recipe.js";
import { confined, run } from "./run.js";

export type Say = (line: string) => void;

const key = (recipe: Recipe): string => shortHash(JSON.stringify([recipe, process.arch]));

/** The directory with the nodes' root file system, made if it is missing (about a minute). */
export function ensureRoot(say: Say): Promise<string> {
  return ensure(`root-${key(nodeRecipe)}`, nodeRecipe, say);
}

/** A tar of the container base image `localhost/debian:trixie-slim`, made if it is missing. */
export function ensureBase(say: Say): Promise<string> {
  return ensure(`base-${key(baseRecipe)}.tar`, baseRecipe, say);
}

function ensure(name: string, recipe: Recipe, say: Say): Promise<string> {
  return cached(name, async (beside) => {
    const mirror = await hostMirror();
    say(`building ${name} from ${mirror}`);
    const format = name.endsWith(".tar") ? "tar" : "directory";
    await run(confined(mmdebstrap(recipe, { mirror, options: await aptOptions() }, format, beside)));
  });
}
