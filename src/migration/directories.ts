import { run } from "../remote/run.js";
import { makeDirectories } from "../remote/service-paths.js";
import type { Site } from "./site.js";

/** The directories that a service has on its node, and that its container sees under the same paths. */
export async function prepareDirectories(site: Site): Promise<void> {
  const node = await site.node();
  for (const argv of makeDirectories(site.paths, node.user)) await run(node, argv);
}
