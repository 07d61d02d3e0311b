import { describe, expect, test } from "@jest/globals";
import { parseJournal } from "../../../../src/daemon/handover/journal.js";

const entry = {
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
