import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  compacted,
  type JournalEntry,
  openJournal,
  parseJournal,
} from "../../../../src/daemon/handover/journal.js";

const entry: JournalEntry = {
  at: "2026-01-01T00:00:00.000Z",
  id: "01J00000000000000000000001",
  epoch: 2,
  role: "source",
  event: "held",
  state: "held",
  life: "boot/1",
  failure: null,
};
const line = JSON.stringify(entry);

describe("the daemon's journal", () => {
  test("is read line by line", () => {
    expect(parseJournal(`${line}\n${line}\n`)).toEqual([entry, entry]);
  });

  test("forgives a last line that a crash cut short: nothing followed from it", () => {
    expect(parseJournal(`${line}\n${line.slice(0, 40)}`)).toEqual([entry]);
  });

  test("does not forgive damage before its end", () => {
    expect(() => parseJournal(`${line.slice(0, 40)}\n${line}\n`)).toThrow("line 1 is damaged");
  });
});

describe("compacted", () => {
  const ended = (id: number, state: string) => ({ ...entry, id: String(id).padStart(26, "0"), state });

  test("only how each migration ended is kept, in the order of their ends", () => {
    const text = [ended(1, "held"), ended(2, "held"), ended(1, "confirmed"), ended(2, "aborted")]
      .map((each) => `${JSON.stringify(each)}\n`)
      .join("");
    expect(parseJournal(compacted(text))).toEqual([ended(1, "confirmed"), ended(2, "aborted")]);
  });

  test("of many only the newest are kept", () => {
    const text = Array.from({ length: 80 }, (_, at) => `${JSON.stringify(ended(at, "confirmed"))}\n`).join(
      "",
    );
    expect(parseJournal(compacted(text)).map(({ id }) => Number(id))).toEqual(
      Array.from({ length: 50 }, (_, at) => at + 30),
    );
  });
});

describe("on the disk", () => {
  let path: string;
  beforeEach(async () => {
    path = join(await mkdtemp(join(tmpdir(), "fastmig-journal-")), "journal.ndjson");
  });
  afterEach(() => rm(join(path, ".."), { recursive: true }));

  test("what is appended after a line that a crash cut short is not lost with it", async () => {
    await writeFile(path, `${line}\n${line.slice(0, 40)}`);
    const journal = openJournal(path);
    await journal.append({ ...entry, event: "peerPrepared", state: "releasing" });
    await journal.append({ ...entry, event: "treeDead", state: "released" });
    const states = parseJournal(await readFile(path, "utf8")).map(({ state }) => state);
    expect(states).toEqual(["held", "releasing", "released"]);
    expect((await journal.last(entry.id))?.state).toBe("released");
  });

  test("a line that nothing but its end lacks was not promised, and goes", async () => {
    await writeFile(path, line);
    expect(await openJournal(path).last(entry.id)).toBeUndefined();
    await openJournal(path).append({ ...entry, state: "aborting" });
    expect(parseJournal(await readFile(path, "utf8"))).toHaveLength(1);
  });

  test("it is compacted once it has grown", async () => {
    const journal = openJournal(path);
    await journal.compact();
    await writeFile(path, `${line}\n`.repeat(10));
    await journal.compact();
    expect(parseJournal(await readFile(path, "utf8"))).toHaveLength(10);
    await writeFile(path, `${line}\n`.repeat(1000));
    await journal.compact();
    expect(parseJournal(await readFile(path, "utf8"))).toEqual([entry]);
  });
});
