/** What FastMig's controllers and restarts read: a digit in a file each. */
import { stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../errors.js";
import type { Speech } from "../log.js";

/** For a controller, where it has made the directory. */
const statusFile = "/opt/controller/comms/status";
export const condition = { standby: 0, running: 1, checkpointed: 2 } as const;
export type Condition = keyof typeof condition;

/** How the next container begins. */
export const startMode = { scratch: "0", restore: "1", standby: "2" } as const;

export async function tellCondition(now: Condition): Promise<void> {
  const there = await stat(dirname(statusFile)).catch(() => undefined);
  if (there?.isDirectory() === true)
    await writeFile(statusFile, String(condition[now])).catch(() => undefined);
}

/** After an end with this exit status: well, restore next; by a signal, stand by; else something is wrong with it, begin anew. */
export function startModeAfter(status: number): string {
  if (status === 0) return startMode.restore;
  return status > 128 && status < 160 ? startMode.standby : startMode.scratch;
}

/** A file that nobody may write to is told: the container begins as it did before. */
export async function decide(file: string, status: number, speech: Speech): Promise<void> {
  await writeFile(file, startModeAfter(status)).catch((thrown: unknown) => {
    speech.say(`The start mode stays: ${messageOf(thrown)}`);
  });
}
