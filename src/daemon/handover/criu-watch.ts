/** Follows one CRIU run of a migration: its hook's `held` file, and its end. Finds it again after a daemon's death. */
import { watch } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod/mini";
import { exists } from "../at-once.js";
import { readIfThere, replaceDurably } from "../durable.js";
import type { ProcessEnd } from "../init-client.js";
import type { Processes, Tracked } from "../processes.js";
import { heldFile } from "../verdict.js";

const Run = z.object({ pid: z.int(), startTicks: z.int(), life: z.string() });

export type Verb = "dump" | "restore";

const runFile = (directory: string, verb: Verb): string => join(directory, `criu-${verb}.json`);

export async function rememberRun(directory: string, verb: Verb, criu: Tracked, life: string): Promise<void> {
  const { pid, startTicks } = criu;
  await replaceDurably(runFile(directory, verb), JSON.stringify({ pid, startTicks, life }));
}

/**
 * The run that an earlier daemon of this life started, or undefined where it never came to that. Init knows one that
 * lives, even where the daemon died before it wrote it down.
 */
export async function recallRun(
  directory: string,
  { processes, life }: { processes: Processes; life: string },
  verb: Verb,
): Promise<Tracked | undefined> {
  const living = (await processes.init.list()).find((child) => child.name === verb);
  if (living !== undefined) return processes.track(living);
  const text = await readIfThere(runFile(directory, verb));
  if (text === undefined) return undefined;
  const run = Run.parse(JSON.parse(text));
  return run.life === life ? processes.track(run) : undefined;
}

export interface CriuEvents {
  /** The hook waits: the tree is frozen and dumped, or restored and held. */
  held(): void;
  ended(end: ProcessEnd | null): void;
}

/** `held` comes before `ended`, or not at all. */
export function watchRun(directory: string, criu: Tracked, events: CriuEvents): void {
  let told = false;
  const look = async (): Promise<void> => {
    if (told || !(await exists(heldFile(directory))) || told) return;
    told = true;
    events.held();
  };
  const held = basename(heldFile(directory));
  const watcher = watch(directory, (_event, name) => {
    if (name === held || name === null) void look();
  });
  // Watching started after CRIU did: the file may be there already.
  void look();
  void criu.ended.then(async (end) => {
    watcher.close();
    await look();
    events.ended(end);
  });
}
