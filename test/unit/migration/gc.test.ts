import { expect, test } from "@jest/globals";
import { isDue, isForgettable } from "../../../src/migration/gc.js";
import type { Journal } from "../../../src/migration/journal.js";

const at = "2026-01-01T00:00:00.000Z";
const then = Date.parse(at);
const kept: Journal["kept"] = [{ at, kind: "kept", node: "a", container: "counter.kept-1", until: at }];
const entries: Journal["entries"] = [{ at, kind: "closed", outcome: "done" }];

test.each([
  [then - 1, false],
  [then, true],
])("a container kept until %#: due %s", (now, due) => {
  expect(isDue({ kept }, now)).toBe(due);
  expect(isDue({ kept: [] }, now)).toBe(false);
});

test.each<[string, Pick<Journal, "kept" | "outcome" | "entries">, number, boolean]>([
  ["settled long ago", { kept: [], outcome: "done", entries }, then + 100, true],
  ["settled lately", { kept: [], outcome: "done", entries }, then + 99, false],
  ["rolled back long ago", { kept: [], outcome: "rolled back", entries }, then + 100, true],
  ["its container is still kept", { kept, outcome: "done", entries }, then + 100, false],
  ["in doubt", { kept: [], outcome: "in doubt", entries }, then + 100, false],
  ["never closed", { kept: [], outcome: null, entries }, then + 100, false],
])("forgotten after 100 ms: %s", (_title, journal, now, forgotten) => {
  expect(isForgettable(journal, now, 100)).toBe(forgotten);
});
