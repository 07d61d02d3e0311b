import type { Facts, NodeFacts, Problem } from "../facts.js";
import { compareVersions } from "../../versions.js";

/** The oldest Podman that was tried: Debian 12's. */
const oldestPodman = "4.3";

export function checkEngine({ source, destination }: Facts): Problem[] {
  return [source, destination].flatMap(engineProblems);
}

function engineProblems({ node, engine }: NodeFacts): Problem[] {
  if ("missing" in engine) {
    return [
      {
        check: "engine",
        node,
        message: `podman does not work on ${node}: ${engine.missing}`,
        hint: `install it there (Debian: apt install podman); where it needs root, write \`sudo: true\` at the node`,
      },
    ];
  }
  if (compareVersions(engine.version, oldestPodman) >= 0) return [];
  return [
    {
      check: "engine",
      node,
      message: `podman ${engine.version} on ${node} is older than ${oldestPodman}`,
      hint: `install ${oldestPodman} or newer there`,
    },
  ];
}
