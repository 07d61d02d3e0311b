import { mkdir } from "node:fs/promises";
import { bootScript, launchScript, ownDirectories } from "./boot.js";
import { hierarchies, isVersion1, makeGroups } from "./cgroups.js";
import { writeAtomically, writeTree } from "./files.js";
import { writeIdentity } from "./keys.js";
import { machineLimits, nodeFiles } from "./node-files.js";
import type { LabNode, LabState } from "./state.js";

/** Writes what a node in namespaces boots from. Answers with the script that starts it. */
export async function prepareNamespaces(state: LabState, node: LabNode): Promise<string> {
  for (const name of ["upper", "work", "root", ...Object.keys(ownDirectories)])
    await mkdir(`${node.dir}/${name}`, { recursive: true });
  const all = await hierarchies();
  const upper = `${node.dir}/upper`;
  await writeTree(upper, nodeFiles(state, await machineLimits(), isVersion1(all)));
  await writeIdentity(state, node, upper);
  await writeAtomically(`${node.dir}/boot.sh`, bootScript(state.root, node, all));
  const groups = await makeGroups(state.id, node.name);
  await writeAtomically(`${node.dir}/launch.sh`, launchScript(state, node, groups));
  return `${node.dir}/launch.sh`;
}
