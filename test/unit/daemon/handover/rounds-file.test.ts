import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { begunRound } from "../../../../src/daemon/handover/chain.js";
import { readRounds, writeRounds } from "../../../../src/daemon/handover/rounds-file.js";

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
