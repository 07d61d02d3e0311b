import type { FileChange } from "../facts.js";

/** Paths of the container that the engine or fastmig itself writes; never a part of the service. */
const ours = [
  "/etc/hostname",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/etc/mtab",
  "/run/.containerenv",
  "/.dockerenv",
  "/run/fastmig",
  "/run/fastmig-images",
  "/run/secrets",
  "/var/lib/fastmig",
  "/proc",
  "/sys",
  "/dev",
];

/** Whether `path` is one of `roots` or lies under one. */
export function isCovered(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || root === "/" || path.startsWith(`${root}/`));
}

/**
 * The changes that would be missing at the destination: leaf entries only (the engine lists every directory above a changed file too),
 * without directories that merely had something come and go in them, without mounts, and without what the plan names.
 */
export function unnamedChanges(
  changes: readonly FileChange[],
  mounts: readonly string[],
  named: readonly string[],
): FileChange[] {
  const above = new Set(changes.flatMap(({ path }) => parents(path)));
  const covered = [...ours, ...mounts, ...named];
  return changes.filter(
    (change) =>
      !above.has(change.path) && !isPassedThrough(change, covered) && !isCovered(change.path, covered),
  );
}

/** A changed directory without a changed entry, or one that only leads to a mount or to a named path. */
function isPassedThrough({ path, kind, directory }: FileChange, covered: readonly string[]): boolean {
  return directory && (kind === "changed" || covered.some((root) => root.startsWith(`${path}/`)));
}

function parents(path: string): string[] {
  const parts = path.split("/").slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}
