import { join } from "node:path";
import { readStats } from "../../criu/stats.js";
import { readBytes, removeFile, status } from "../at-once.js";

/** CRIU's statistics of a run, microseconds and pages; null where it came to none. */
export async function readStatistics(
  workDir: string,
  verb: "dump" | "restore",
): Promise<Record<string, number> | null> {
  const bytes = await readBytes(statisticsFile(workDir, verb)).catch(() => undefined);
  return bytes === undefined ? null : (readStats(bytes) ?? null);
}

/**
 * Milliseconds since CRIU wrote them, which it does as it ends; 0 where it wrote none. Whoever is told of its end may be told
 * late: beside a dying tree, on a busy machine, by hundreds of milliseconds.
 */
export async function sinceWritten(workDir: string, verb: "dump" | "restore"): Promise<number> {
  const file = await status(statisticsFile(workDir, verb)).catch(() => undefined);
  return file === undefined ? 0 : Math.max(0, Date.now() - file.mtimeMs);
}

/** CRIU's own word that it let the restored tasks go: it writes its statistics right after that, and only then. */
export async function hasResumed(workDir: string): Promise<boolean> {
  return (await readStatistics(workDir, "restore")) !== null;
}

/** So that a run that fails is not told with the figures of the one before. */
export async function removeStatistics(workDir: string, verb: "dump" | "restore"): Promise<void> {
  await removeFile(statisticsFile(workDir, verb));
}

function statisticsFile(workDir: string, verb: "dump" | "restore"): string {
  return join(workDir, `stats-${verb}`);
}
