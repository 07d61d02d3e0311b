import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { MigrationRecord } from "../../../../src/daemon/handover/record.js";
import { sinceWritten } from "../../../../src/daemon/handover/statistics.js";
import { open } from "../../../support/migration/facts.js";

let directory = "";
beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), "fastmig-statistics-"))));
afterAll(() => rm(directory, { recursive: true }));

async function writtenAt(date: Date): Promise<number> {
  const file = join(directory, "stats-dump");
  await writeFile(file, "");
  await utimes(file, date, date);
  return sinceWritten(directory, "dump");
}

test("CRIU's end is when it wrote its statistics", async () => {
  const ago = await writtenAt(new Date(Date.now() - 800));
  expect(ago).toBeGreaterThanOrEqual(800);
  expect(ago).toBeLessThan(1800);
});

test("a clock that was set back makes no end in the future", async () => {
  expect(await writtenAt(new Date(Date.now() + 60_000))).toBe(0);
});

test("a run that wrote none ends when it is seen to", async () => {
  expect(await sinceWritten(directory, "restore")).toBe(0);
});

test("the freeze began its length before CRIU's end, however late that was noticed", () => {
  const record = new MigrationRecord(open);
  const stats = { freezing_time: 8000, frozen_time: 1_400_000 };
  const now = record.now();
  record.noteDump(stats, 900);
  const { frozen = NaN } = record.timeline;
  expect(frozen - now).toBeGreaterThan(-2309);
  expect(frozen - now).toBeLessThan(-2000);
  expect(record.stats).toEqual(stats);
});

test("a dump that came to no statistics leaves no mark", () => {
  const record = new MigrationRecord(open);
  record.noteDump(null, 0);
  expect(record.timeline).not.toHaveProperty("frozen");
});
