import type { Journal } from "./journal.js";

/** What may go, and when: pure, times in milliseconds. Nothing of a migration that is not settled ever goes. */

type Settled = Pick<Journal, "settledAt">;

/** A kept container's time is over. */
export function isDue(journal: Settled & Pick<Journal, "kept">, now: number): boolean {
  return journal.settledAt !== null && journal.kept.some(({ until }) => Date.parse(until) <= now);
}

/** The nodes that still have its logs and verdicts, though the time in which its source was kept is over. */
export function uncleared(
  journal: Settled & Pick<Journal, "cleared"> & { created: { from: string; to: string; keepSource: number } },
  now: number,
): string[] {
  const { from, to, keepSource } = journal.created;
  if (journal.settledAt === null || now - journal.settledAt < keepSource) return [];
  return [from, to].filter((node) => !journal.cleared.includes(node));
}

/** Nothing on any node belongs to it any more, and it was settled longer than `olderThan` ago. */
export function isForgettable(
  journal: Settled & Pick<Journal, "kept">,
  now: number,
  olderThan: number,
): boolean {
  return journal.settledAt !== null && journal.kept.length === 0 && now - journal.settledAt >= olderThan;
}
