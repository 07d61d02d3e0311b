import * as z from "zod/mini";
import {
  Epoch,
  Failure,
  MigrationId,
  ReleaseProof,
  Role,
  type DestinationStateName,
  type SourceStateName,
} from "../api.js";
import { appendDurably, readIfThere, replaceDurably } from "../durable.js";

/** One line: the state that was entered, before its actions start. */
export const JournalEntry = z.object({
  at: z.string(),
  id: MigrationId,
  epoch: Epoch,
  role: Role,
  event: z.string(),
  state: z.string(),
  life: z.string(),
  failure: z.nullable(Failure),
  /** That the source's tree is dead: at the destination from when it came, before anything follows from it. */
  proof: z.optional(z.nullable(ReleaseProof)),
});
export type JournalEntry = z.infer<typeof JournalEntry> & { state: SourceStateName | DestinationStateName };

export interface Journal {
  append(entry: JournalEntry): Promise<void>;
  /** The newest entry of a migration, or undefined where it has none. */
  last(id: string): Promise<JournalEntry | undefined>;
  /** Where it has grown, and no migration is open. */
  compact(): Promise<void>;
}

/** Migrations of which it is still known how they ended. */
const remembered = 50;
/** Characters: some hundred entries. */
const long = 64 * 1024;

export function openJournal(path: string): Journal {
  return {
    append: (entry) => appendDurably(path, JSON.stringify(entry)),
    last: async (id) => parseJournal((await readIfThere(path)) ?? "").findLast((entry) => entry.id === id),
    compact: async () => {
      const text = (await readIfThere(path)) ?? "";
      if (text.length > long) await replaceDurably(path, compacted(text));
    },
  };
}

/** A crash can cut the last line short: what has no end was never promised to anybody. */
export function parseJournal(text: string): JournalEntry[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  const lines = whole.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    try {
      return JournalEntry.parse(JSON.parse(line)) as JournalEntry;
    } catch (thrown) {
      throw new Error(`the journal's line ${index + 1} is damaged`, { cause: thrown });
    }
  });
}

/** How the newest migrations ended, the oldest first: what is left of a journal when none is open. */
export function compacted(text: string): string {
  const ends = new Map<string, JournalEntry>();
  for (const entry of parseJournal(text)) {
    ends.delete(entry.id);
    ends.set(entry.id, entry);
  }
  return [...ends.values()]
    .slice(-remembered)
    .map((entry) => `${JSON.stringify(entry)}\n`)
    .join("");
}
