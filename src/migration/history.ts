import { readFile } from "node:fs/promises";
import { messageOf } from "../errors.js";
import { Journal, type Closing } from "./journal.js";
import { isAlive } from "./reopen.js";
import type { MigrationReport } from "./report.js";

/** A migration that was begun on this machine, as its journal has it. */
export interface PastMigration {
  id: string;
  /** `running`: its program lives. `begun`: it died. `damaged`: the journal cannot be read. */
  state: Closing | "running" | "begun" | "damaged";
  service: string;
  from: string;
  to: string;
  /** ISO 8601. */
  startedAt: string | null;
  /** When the journal was last written to. */
  lastAt: string | null;
  /** Milliseconds in which nobody served; null: it came to none, or has no report. */
  blackoutMs: number | null;
  /** Why the journal cannot be read. */
  problem: string | null;
}

/** The oldest first. */
export async function pastMigrations(root: string): Promise<PastMigration[]> {
  const ids = await Journal.list(root);
  return Promise.all(
    ids.map((id) => pastMigration(root, id).catch((thrown: unknown) => damaged(id, thrown))),
  );
}

async function pastMigration(root: string, id: string): Promise<PastMigration> {
  const journal = await Journal.read(root, id);
  const { service, from, to } = journal.created;
  return {
    id,
    state: journal.outcome ?? ((await isAlive(journal.pid)) ? "running" : "begun"),
    service,
    from,
    to,
    startedAt: journal.entries[0]?.at ?? null,
    lastAt: journal.entries.at(-1)?.at ?? null,
    blackoutMs: await blackoutOf(journal),
    problem: null,
  };
}

async function blackoutOf(journal: Journal): Promise<number | null> {
  const text = await readFile(journal.path("report.json"), "utf8").catch(() => null);
  return text === null ? null : ((JSON.parse(text) as MigrationReport).blackout?.ms ?? null);
}

function damaged(id: string, thrown: unknown): PastMigration {
  const nothing = { service: "?", from: "?", to: "?", startedAt: null, lastAt: null, blackoutMs: null };
  return { id, state: "damaged", ...nothing, problem: messageOf(thrown) };
}
