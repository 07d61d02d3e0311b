/** What the rounds say about each other: which may be built on, and what CRIU's figures make of one. Pure. */
import type { Failure, Round } from "../api.js";

/** The round before its pre-dump: written down so, it poisons the chain until it is done. */
export function begunRound(rounds: readonly Round[], startedAt: string): Round {
  return {
    number: (rounds.at(-1)?.number ?? 0) + 1,
    parent: chainOf(rounds).at(-1) ?? null,
    state: "dumping",
    pages: null,
    bytes: 0,
    shipped: 0,
    mapBytes: 0,
    startedAt,
    sinceParentMs: null,
    frozenMs: null,
    dumpMs: null,
    totalMs: null,
    answerMs: null,
    failure: null,
  };
}

/**
 * The rounds that the next one or the final dump builds on, the full one first. CRIU clears the kernel's marks before the
 * pages are safe: after a round that is not done, nothing that came before it may be built on, or pages that changed in
 * between would be restored as they were.
 */
export function chainOf(rounds: readonly Round[]): number[] {
  const last = rounds.at(-1);
  if (last?.state !== "done") return [];
  if (last.parent === null) return [last.number];
  const before = chainOf(rounds.slice(0, -1));
  return before.at(-1) === last.parent ? [...before, last.number] : [];
}

/** What an earlier daemon left under way failed with it. */
export function interrupted(rounds: readonly Round[], failure: Failure): Round[] {
  return rounds.map((round) =>
    round.state === "done" || round.state === "failed" ? round : { ...round, state: "failed", failure },
  );
}

/** Of CRIU's `stats-dump`: private and shared memory together. Null where CRIU left none. */
export function figuresOf(
  stats: Record<string, number> | null,
): (Pick<Round, "pages"> & { frozenMs: number }) | null {
  if (stats === null) return null;
  const of = (name: string): number => (stats[`pages_${name}`] ?? 0) + (stats[`shpages_${name}`] ?? 0);
  const pages = { scanned: of("scanned"), skipped: of("skipped_parent"), written: of("written") };
  const frozen = (stats["freezing_time"] ?? 0) + (stats["frozen_time"] ?? 0);
  return { pages, frozenMs: frozen / 1000 };
}

/** Why CRIU's figures cannot be those of a good round; undefined: they can. */
export function doubtIn({ parent, pages }: Pick<Round, "parent" | "pages">): string | undefined {
  if (pages === null) return "CRIU left no statistics";
  if (parent === null || pages.skipped > 0) return undefined;
  return `no page was skipped although round ${parent} was there to build on: CRIU did not use it`;
}
