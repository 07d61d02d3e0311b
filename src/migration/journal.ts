import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { exitCodes, FastmigError, messageOf } from "../errors.js";

/** A program reads what is not newer than this. */
export const journalVersion = 1;

export const isMigrationId = (text: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(text);

/** What `resume`, `abort` and `gc` need to know of a migration when its CLI is gone. */
export interface Created {
  kind: "created";
  id: string;
  epoch: number;
  service: string;
  from: string;
  to: string;
  plan: string;
  by: string;
  pid: number;
  /** Milliseconds; how long the source's container is kept. */
  keepSource: number;
  sshConfig: string | null;
}

/** `unfinished`: who has the service is settled, but a node may still be locked, or something is left to clear up. */
export type Closing =
  | "done"
  | "rolled back"
  | "in doubt"
  | "unfinished"
  /** Open on purpose: rounds are made, and a later `migrate` goes on from them. */
  | "predumped";

export type Entry =
  | (Created & { version: number })
  | { kind: "step"; step: string; state: "begun" | "ended" | "failed"; detail?: string }
  | { kind: "undone"; step: string; found: string }
  /** Something that this migration made on a node, and that its undo may remove. */
  | { kind: "made"; node: string; what: "standby" | "image" | "open"; name: string }
  /** Another program goes on with it. */
  | { kind: "taken"; by: string; pid: number }
  | { kind: "committed" }
  /** `until` ISO 8601: from then on `gc` removes the container. */
  | { kind: "kept"; node: string; container: string; until: string }
  | { kind: "removed"; node: string; container: string }
  /** What the node's state directory had of it (logs, verdicts) is removed. */
  | { kind: "cleared"; node: string }
  | { kind: "closed"; outcome: Closing };

export type Recorded = Entry & { at: string };

/** A migration's own directory: `journal.ndjson`, `plan.yaml`, `report.json`, `source.log`. */
export class Journal {
  /** Bytes up to the end of the last whole line, where a crash cut the one after it short. */
  #torn: number | null = null;

  private constructor(
    readonly directory: string,
    readonly entries: Recorded[],
  ) {}

  static async create(root: string, created: Created, planText: string): Promise<Journal> {
    const directory = join(root, created.id);
    await mkdir(root, { recursive: true, mode: 0o700 });
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, "plan.yaml"), planText, { mode: 0o600, flush: true });
    const journal = new Journal(directory, []);
    await journal.append({ ...created, version: journalVersion });
    await syncDirectory(directory);
    await syncDirectory(root);
    return journal;
  }

  /** Throws UNKNOWN_MIGRATION where there is no such migration or its journal does not begin as one, and JOURNAL_TOO_NEW. */
  static async read(root: string, id: string): Promise<Journal> {
    const directory = join(root, id);
    const text = await readFile(join(directory, "journal.ndjson"), "utf8").catch((thrown: unknown) =>
      unknownMigration(id, directory, thrown),
    );
    const journal = new Journal(directory, parseEntries(text));
    if (!text.endsWith("\n")) journal.#torn = Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1));
    if (journal.entries[0]?.kind !== "created")
      unknownMigration(id, directory, "its journal has no beginning");
    if (journal.created.version > journalVersion) throw tooNew(id, journal.created.version);
    return journal;
  }

  /** The ids of all migrations, the oldest first. */
  static async list(root: string): Promise<string[]> {
    const names = await readdir(root).catch(() => []);
    return names.filter(isMigrationId).sort();
  }

  get created(): Created & { version: number } {
    return this.entries[0] as Extract<Recorded, { kind: "created" }>;
  }

  /** How it was closed last; null: it is open, or its CLI died. */
  get outcome(): Closing | null {
    const last = this.entries.findLast((entry) => entry.kind === "closed" || entry.kind === "taken");
    return last?.kind === "closed" ? last.outcome : null;
  }

  /** The process that works on it, or did so last. */
  get pid(): number {
    return this.entries.findLast((entry) => entry.kind === "taken")?.pid ?? this.created.pid;
  }

  /** Whether this migration made it, and its undo may remove it. */
  made(what: Extract<Entry, { kind: "made" }>["what"]): boolean {
    return this.entries.some((entry) => entry.kind === "made" && entry.what === what);
  }

  /** When it was settled for good, milliseconds; null: it is not. */
  get settledAt(): number | null {
    const closed = this.entries.findLast((entry) => entry.kind === "closed");
    return closed?.outcome === "done" || closed?.outcome === "rolled back" ? Date.parse(closed.at) : null;
  }

  /** Nodes whose state directory has nothing of it any more. */
  get cleared(): string[] {
    return this.entries.flatMap((entry) => (entry.kind === "cleared" ? [entry.node] : []));
  }

  /** How the switchover was begun; null: it was not. */
  get way(): "direct" | "relay" | null {
    for (const entry of this.entries)
      if (entry.kind === "step" && entry.step === "switchover" && entry.state === "begun")
        if (entry.detail === "direct" || entry.detail === "relay") return entry.detail;
    return null;
  }

  /** Source containers that are still kept. */
  get kept(): (Recorded & { kind: "kept" })[] {
    const removed = new Set(
      this.entries.flatMap((entry) => (entry.kind === "removed" ? [entry.container] : [])),
    );
    return this.entries
      .filter((entry) => entry.kind === "kept")
      .filter((entry) => !removed.has(entry.container));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** On the disk before it returns: what follows may happen. */
  async append(entry: Entry): Promise<void> {
    const recorded: Recorded = { at: new Date().toISOString(), ...entry };
    const file = await open(this.path("journal.ndjson"), "a", 0o600);
    try {
      // What is appended to half a line would be lost with it.
      if (this.#torn !== null) await file.truncate(this.#torn);
      this.#torn = null;
      await file.appendFile(`${JSON.stringify(recorded)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.entries.push(recorded);
  }

  /** Goes on with what another program left open. False: a third one did so at the same time. */
  async take(by: string, planText: string): Promise<boolean> {
    const times = this.entries.filter((entry) => entry.kind === "taken").length;
    try {
      await (await open(this.path(`taken.${times + 1}`), "wx", 0o600)).close();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw thrown;
    }
    await writeFile(this.path("plan.yaml"), planText, { mode: 0o600, flush: true });
    await this.append({ kind: "taken", by, pid: process.pid });
    return true;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(this.path(name), text, { mode: 0o600 });
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
    await syncDirectory(dirname(this.directory));
  }
}

/** A last line that was torn by a crash is no entry: what is whole ends in a newline. */
export function parseEntries(text: string): Recorded[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Recorded);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function tooNew(id: string, version: number): FastmigError {
  return new FastmigError(
    `the journal of ${id} has version ${version}; this fastmig reads up to ${journalVersion}`,
    {
      code: "JOURNAL_TOO_NEW",
      exit: exitCodes.usage,
      hint: "go on with the fastmig that began it, or a newer one",
    },
  );
}

function unknownMigration(id: string, directory: string, why: unknown): never {
  throw new FastmigError(`there is no journal of a migration ${id} here (${directory}: ${messageOf(why)})`, {
    code: "UNKNOWN_MIGRATION",
    exit: exitCodes.usage,
    hint: "`fastmig list` names those that were begun here, `fastmig status PLAN` those that are open on the nodes; resume one where it was begun",
  });
}
