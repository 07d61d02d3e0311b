import type { Seen } from "./judge.js";
import type { Site } from "./site.js";
import { isUnknownMigration } from "../remote/daemon-client.js";

/** A daemon that takes longer than this to say its state counts as silent for this look. */
const answerMs = 3000;

/** What a daemon says of a migration. A lost link, a missing socket and a late answer are all `silent`: none of them says anything. */
export async function see(site: Site, id: string): Promise<Seen> {
  const { promise: late, resolve } = Promise.withResolvers<Seen>();
  const timer = setTimeout(() => resolve("silent"), answerMs);
  try {
    return await Promise.race([ask(site, id), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(site: Site, id: string): Promise<Seen> {
  try {
    return await (await site.daemon()).migration(id);
  } catch (thrown) {
    return isUnknownMigration(thrown) ? "unknown" : "silent";
  }
}

/**
 * Milliseconds to the next look: a look takes processor time from what is looked at, so it is a fifth of it at most.
 *
 * @param lookMs how long the last one took.
 */
export function restAfter(lookMs: number, least: number): number {
  return Math.max(least, Math.min(4 * lookMs, 1000));
}
