import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readStats } from "../../criu/stats.js";

/** CRIU's statistics of a run, microseconds and pages; null where it came to none. */
export async function readStatistics(
  workDir: string,
  verb: "dump" | "restore",
): Promise<Record<string, number> | null> {
  const bytes = await readFile(join(workDir, `stats-${verb}`)).catch(() => undefined);
  return bytes === undefined ? null : (readStats(bytes) ?? null);
}
