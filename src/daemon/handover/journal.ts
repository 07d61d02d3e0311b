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
import { appendDurably, readIfThere } from "../durable.js";

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
}

export function openJournal(path: string): Journal {
  return {
    append: (entry) => appendDurably(path, JSON.stringify(entry)),
    last: async (id) => parseJournal((await readIfThere(path)) ?? "").findLast((entry) => entry.id === id),
  };
}

/** A crash can cut the last line short: what does not parse there was never promised to anybody. */
export function parseJournal(text: string): JournalEntry[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.flatMap((line, index) => {
    try {
      return [JournalEntry.parse(JSON.parse(line)) as JournalEntry];
    } catch (thrown) {
      if (index === lines.length - 1) return [];
      throw new Error(`the journal's line ${index + 1} is damaged`, { cause: thrown });
    }
  });
}
