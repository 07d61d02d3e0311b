import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { pastMigrations } from "../../../src/migration/history.js";
import { Journal, type Created } from "../../../src/migration/journal.js";

const id = (last: string): string => `01JCXZ000000000000000000${last.padStart(2, "0")}`;
const created: Omit<Created, "id"> = {
  kind: "created",
  epoch: 3,
  service: "counter",
  from: "a",
  to: "b",
  plan: "plan.yaml",
  by: "ops@desk",
  pid: 0,
  keepSource: 3_600_000,
  sshConfig: null,
};
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fastmig-history-"));
});
afterEach(() => rm(root, { recursive: true }));

test("past migrations are told oldest first, with how they ended and how long nobody served", async () => {
  const second = await Journal.create(root, { ...created, id: id("2") }, "");
  const first = await Journal.create(root, { ...created, id: id("1") }, "");
  await first.append({ kind: "closed", outcome: "done" });
  await first.write("report.json", JSON.stringify({ blackout: { ms: 182 } }));
  const past = await pastMigrations(root);
  expect(past).toMatchObject([
    { id: first.created.id, state: "done", service: "counter", blackoutMs: 182, problem: null },
    { id: second.created.id, state: "begun", from: "a", to: "b", blackoutMs: null },
  ]);
});

test("a damaged journal is told, and hides no other", async () => {
  await Journal.create(root, { ...created, id: id("2") }, "");
  await mkdir(join(root, id("1")));
  await writeFile(join(root, id("1"), "journal.ndjson"), "{ nothing\n{}\n{}\n");
  const [damaged, whole] = await pastMigrations(root);
  expect(damaged).toMatchObject({ state: "damaged", problem: expect.stringContaining("JSON") });
  expect(whole).toMatchObject({ state: "begun", problem: null });
});
