import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { begunRound } from "../../../../src/daemon/handover/chain.js";
import { Manifests, readRounds, writeRounds } from "../../../../src/daemon/handover/rounds-file.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fastmig-rounds-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("rounds are read as they were written, also into a directory that is not there yet", async () => {
  const inside = join(directory, "migration");
  expect(await readRounds(inside)).toBeUndefined();
  const stored = {
    rounds: [begunRound([], "2026-01-01T00:00:00.000Z")],
    tuning: { bandwidth: 5, downtime: null },
    frozeAt: 17.5,
  };
  await writeRounds(inside, stored);
  expect(await readRounds(inside)).toEqual(stored);
});

test("a list of a round's files is read as it was written; one that is gone is an error", async () => {
  const files = [
    { file: "2/pages-1.img", size: 5, segments: [{ offset: 0, length: 5, digest: "0".repeat(32) }] },
  ];
  const manifests = new Manifests(directory);
  await manifests.keep(2, files);
  const later = new Manifests(directory);
  await later.read(2);
  expect([manifests.of(2), later.of(2)]).toEqual([files, files]);
  await later.forget(2);
  expect(later.of(2)).toEqual([]);
  await expect(later.read(2)).rejects.toThrow("the list of round 2's files is gone");
});
