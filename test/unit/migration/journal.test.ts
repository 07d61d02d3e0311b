import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Journal, parseEntries, type Created } from "../../../src/migration/journal.js";
import { migrationsDirectory } from "../../../src/migration/state-home.js";

const created: Created = {
  kind: "created",
  id: "01JCXZ0000000000000000000A",
  epoch: 3,
  service: "counter",
  from: "a",
  to: "b",
  plan: "plan.yaml",
  by: "ops@desk",
  pid: 7,
  keepSource: 3_600_000,
  sshConfig: null,
};
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fastmig-journal-"));
});
afterEach(() => rm(root, { recursive: true }));

describe("Journal", () => {
  test("what was appended is read again, with the plan beside it", async () => {
    const journal = await Journal.create(root, created, "version: 1\n");
    await journal.append({ kind: "step", step: "standby", state: "begun" });
    const read = await Journal.read(root, created.id);
    expect(read.entries).toEqual(journal.entries);
    expect(read.created).toMatchObject(created);
    expect(await readFile(read.path("plan.yaml"), "utf8")).toBe("version: 1\n");
    expect(await Journal.list(root)).toEqual([created.id]);
  });

  test("what is appended after a line that a crash cut short is not lost with it", async () => {
    const begun = await Journal.create(root, created, "");
    await appendFile(begun.path("journal.ndjson"), '{"at":"2026-01-01T00:00:00.000Z","kind":"st');
    const journal = await Journal.read(root, created.id);
    await journal.append({ kind: "step", step: "standby", state: "begun" });
    await journal.append({ kind: "closed", outcome: "rolled back" });
    const kinds = (await Journal.read(root, created.id)).entries.map(({ kind }) => kind);
    expect(kinds).toEqual(["created", "step", "closed"]);
  });

  test("what a newer program began is left to it", async () => {
    const journal = await Journal.create(root, created, "");
    const first = { ...journal.entries[0], version: 2 };
    await writeFile(journal.path("journal.ndjson"), `${JSON.stringify(first)}\n`);
    await expect(Journal.read(root, created.id)).rejects.toMatchObject({ code: "JOURNAL_TOO_NEW", exit: 2 });
  });

  test("a kept container is kept until it was removed; the last closing counts", async () => {
    const journal = await Journal.create(root, created, "");
    expect(journal.outcome).toBeNull();
    await journal.append({
      kind: "kept",
      node: "a",
      container: "counter.kept-1",
      until: "2026-01-01T00:00:00.000Z",
    });
    await journal.append({ kind: "closed", outcome: "in doubt" });
    await journal.append({ kind: "closed", outcome: "done" });
    expect([journal.outcome, journal.kept.length]).toEqual(["done", 1]);
    await journal.append({ kind: "removed", node: "a", container: "counter.kept-1" });
    expect(journal.kept).toEqual([]);
  });

  test("the way is that of the switchover as it was begun", async () => {
    const journal = await Journal.create(root, created, "");
    await journal.append({ kind: "step", step: "switchover", state: "begun" });
    expect(journal.way).toBeNull();
    await journal.append({ kind: "step", step: "switchover", state: "begun", detail: "relay" });
    await journal.append({ kind: "step", step: "switchover", state: "failed", detail: "direct" });
    expect(journal.way).toBe("relay");
  });

  test("an unknown migration is named", async () => {
    await expect(Journal.read(root, "01JCXZ0000000000000000000B")).rejects.toMatchObject({
      code: "UNKNOWN_MIGRATION",
      exit: 2,
    });
    expect(await Journal.list(join(root, "nowhere"))).toEqual([]);
  });

  test("a torn last line is no entry, a damaged one before it is an error", () => {
    const line = JSON.stringify({ at: "now", ...created });
    expect(parseEntries(`${line}\n{"at":"no`)).toHaveLength(1);
    expect(() => parseEntries(`{"at"\n${line}\n${line}\n`)).toThrow(SyntaxError);
  });
});

test.each([
  [{ XDG_STATE_HOME: "/s", HOME: "/h" }, "/s/fastmig/migrations"],
  [
    { XDG_STATE_HOME: "", HOME: process.env["HOME"] ?? "" },
    join(process.env["HOME"] ?? "", ".local/state/fastmig/migrations"),
  ],
])("the journals' place for %j", (env, path) => {
  expect(migrationsDirectory(env)).toBe(path);
});

test("without HOME the password file's home is taken", () => {
  expect(migrationsDirectory({})).toMatch(/^\/.+\/\.local\/state\/fastmig\/migrations$/);
});
