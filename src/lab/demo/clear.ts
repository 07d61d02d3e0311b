import { inNode } from "../exec.js";
import { type LabState } from "../state.js";

/** Removes every container of the lab's nodes and whatever fastmig keeps there; images stay. */
export async function clearNodes(lab: LabState): Promise<void> {
  const script = "podman rm --force --all --time 0 >/dev/null; rm -rf /var/lib/fastmig/* /run/fastmig/*";
  await Promise.all(lab.nodes.map(({ name }) => inNode(lab, name, ["sh", "-c", script])));
}
