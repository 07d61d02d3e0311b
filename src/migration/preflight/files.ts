import type { ContainerFacts, Facts, FileChange, Problem } from "../facts.js";
import { isCovered, unnamedChanges } from "./file-changes.js";

/** What the service wrote outside its memory has to be at the destination too, or to be given up by name. */
export function checkFiles({ service, source }: Facts): Problem[] {
  if (source.container === null) return [];
  const named = [...service.preserve, ...service.shared, ...service.leave];
  const mounts = source.container.mounts.map((mount) => mount.container);
  return [
    ...unnamedChanges(source.changes, mounts, named).map((change) =>
      problem(source.node, change.path, whatHappened(change)),
    ),
    ...unnamedMounts(source.container, named).map(([path, what]) => problem(source.node, path, what)),
  ];
}

function unnamedMounts(container: ContainerFacts, named: readonly string[]): [string, string][] {
  return container.mounts
    .filter(
      (mount) =>
        !isCovered(mount.container, ["/run/fastmig", "/var/lib/fastmig", "/run/fastmig-images", ...named]),
    )
    .map((mount) => [
      mount.container,
      mount.volume === null
        ? `is the directory ${mount.host} of the node`
        : `is the volume ${mount.volume} of the node`,
    ]);
}

function whatHappened({ kind }: FileChange): string {
  return kind === "added"
    ? "was written since the container was created"
    : kind === "deleted"
      ? "was deleted since the container was created"
      : "was changed since the container was created";
}

function problem(node: string, path: string, what: string): Problem {
  return {
    check: "files",
    node,
    message: `${path} ${what}, and the plan does not say what becomes of it`,
    hint: "name it (or a directory above it) in the service's `preserve` (travels with the memory), `shared` (both nodes see it) or `leave` (may differ)",
  };
}
