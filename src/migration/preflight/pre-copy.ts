import type { Facts, Problem } from "../facts.js";
import { tracking } from "./criu.js";

/** A source that cannot track written pages is a problem where the plan says `onUnsupported: abort`. */
export function checkPreCopy(facts: Facts): Problem[] {
  const why = whyUnsupported(facts);
  if (why === null || facts.migration.precopy?.onUnsupported === "stop-and-copy") return [];
  return [
    {
      check: "pre-copy",
      node: facts.source.node,
      message: why,
      hint: "take a kernel with CONFIG_MEM_SOFT_DIRTY (Debian's for amd64 have it, none for arm64 has); `fastmig migrate` does without rounds where the plan says `onUnsupported: stop-and-copy`",
    },
  ];
}

/** Why the memory cannot be copied in rounds though the plan wants it; null: it can, or is not wanted. */
export function whyUnsupported({ migration, source }: Facts): string | null {
  if (migration.precopy === null || source.status === null) return null;
  if (source.status.criu.features.includes(tracking)) return null;
  return `${source.node}'s kernel cannot track written pages (no soft-dirty): ${migration.service} cannot be copied in rounds`;
}
