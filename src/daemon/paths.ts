import { join } from "node:path";

/** Where everything of one service lies, in the container; the first two are the same on its node. */
export interface DaemonPaths {
  state: string;
  runtime: string;
  /** tmpfs of the container: checkpoint images and CRIU's feature cache. */
  images: string;
}

export const ownershipFile = (paths: DaemonPaths): string => join(paths.state, "ownership.json");
export const openFile = (paths: DaemonPaths): string => join(paths.state, "open.json");
export const journalFile = (paths: DaemonPaths): string => join(paths.state, "journal.ndjson");
export const daemonSocket = (paths: DaemonPaths): string => join(paths.runtime, "daemon.sock");
export const migrationDirectory = (paths: DaemonPaths, id: string): string =>
  join(paths.state, "migrations", id);
