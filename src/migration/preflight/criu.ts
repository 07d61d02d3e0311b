import type { Status } from "../../daemon/api.js";
import type { Facts, Problem } from "../facts.js";
import { compareVersions } from "../../versions.js";

/** The image brings CRIU; older ones fail on new kernels (TCP sockets from 6.16 on). */
const oldestCriu = "4.2";

/** What the source needs for rounds, and the destination does not: it only restores. */
export const tracking = "mem_dirty_track";

export function checkCriu({ source, destination }: Facts): Problem[] {
  const problems = source.status === null ? [] : criuProblems(source.node, source.status.criu);
  if (destination.status === null || source.status === null) return problems;
  return [
    ...problems,
    ...compareCriu(source.node, source.status.criu, destination.node, destination.status.criu),
  ];
}

/** The destination's CRIU has to read what the source's writes, and to do what the source's did. */
export function compareCriu(
  source: string,
  theirs: Status["criu"],
  destination: string,
  ours: Status["criu"],
): Problem[] {
  const problems = criuProblems(destination, ours);
  if (compareVersions(ours.version, theirs.version) < 0) {
    problems.push(
      problem(
        destination,
        `CRIU ${ours.version} in ${destination}'s container is older than ${theirs.version} in ${source}'s`,
        "run the same container image on both nodes",
      ),
    );
  }
  const missing = theirs.features.filter(
    (feature) => feature !== tracking && !ours.features.includes(feature),
  );
  if (missing.length > 0) {
    problems.push(
      problem(
        destination,
        `CRIU on ${destination} cannot do what it can on ${source}: ${missing.join(", ")}`,
        `give ${destination} a kernel like ${source}'s`,
      ),
    );
  }
  return problems;
}

function criuProblems(node: string, { version }: Status["criu"]): Problem[] {
  const hint = "build the service's image FROM the fastmig image, which brings a CRIU that works";
  if (version === "") return [problem(node, `the container on ${node} has no CRIU`, hint)];
  return compareVersions(version, oldestCriu) >= 0
    ? []
    : [problem(node, `CRIU ${version} in the container on ${node} is older than ${oldestCriu}`, hint)];
}

function problem(node: string, message: string, hint: string): Problem {
  return { check: "criu", node, message, hint };
}
