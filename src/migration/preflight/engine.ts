import type { Facts, NodeFacts, Problem } from "../facts.js";

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

/** Below 0 where `a` is older; compares the numbers, ignores what follows them (`4.2-rc1`). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((value, index) => value !== (right[index] ?? 0));
  if (at >= 0) return (left[at] ?? 0) - (right[at] ?? 0);
  return right.slice(left.length).some((value) => value > 0) ? -1 : 0;
}

function numbers(version: string): number[] {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}
