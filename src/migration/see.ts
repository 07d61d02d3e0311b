import type { Seen } from "./judge.js";
import type { Site } from "./site.js";
import type { MigrationView } from "../daemon/api.js";
import { isUnknownMigration, type DaemonClient } from "../remote/daemon-client.js";

/** A daemon that takes longer than this to say its state counts as silent for this look. */
const answerMs = 3000;
/**
 * Milliseconds for which a daemon at work may hold its answer back: each answer takes processor time from what is asked
 * about, and while memory is copied that is downtime.
 */
const workMs = 2000;

export interface Patience {
  /** Answers at once when it aborts. */
  signal?: AbortSignal | undefined;
}

/**
 * What a daemon says of a migration. A lost link, a missing socket and a late answer are all `silent`: none of them says anything.
 *
 * @param patience the answer may wait two seconds until nothing is under way there.
 */
export async function see(site: Site, id: string, patience?: Patience): Promise<Seen> {
  const { promise: late, resolve } = Promise.withResolvers<Seen>();
  const timer = setTimeout(() => resolve("silent"), (patience ? workMs : 0) + answerMs);
  try {
    return await Promise.race([ask(site, id, patience), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask(site: Site, id: string, patience: Patience | undefined): Promise<Seen> {
  try {
    const daemon = await site.daemon();
    return await (patience ? atRest(daemon, id, patience) : daemon.migration(id));
  } catch (thrown) {
    return isUnknownMigration(thrown) ? "unknown" : "silent";
  }
}

async function atRest(daemon: DaemonClient, id: string, { signal }: Patience): Promise<MigrationView> {
  try {
    return await daemon.migration(id, workMs, { signal });
  } catch (thrown) {
    if (signal?.aborted !== true) throw thrown;
    return daemon.migration(id);
  }
}
