import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Round } from "../../../src/daemon/api.js";
import { HttpError } from "../../../src/daemon/refusals.js";
import { makeNative } from "../native/init-bench.js";
import { Ends, type Dump } from "./source.js";

const full: Dump = { pages: randomBytes(40 * 4096), skipped: 0 };
const little: Dump = { pages: randomBytes(4 * 4096), skipped: 36 };

let ends: Ends;
beforeAll(makeNative, 60_000);
beforeEach(async () => {
  ends = await Ends.make(full);
});
afterEach(() => ends.close());

const listed = (path: string): string[] => (existsSync(path) ? readdirSync(path).sort() : []);
const stored = (): Round[] =>
  (JSON.parse(readFileSync(join(ends.directory, "rounds.json"), "utf8")) as { rounds: Round[] }).rounds;

async function fullAndLittle(): Promise<Round> {
  await ends.make();
  ends.dump = little;
  return ends.make();
}

describe("good rounds", () => {
  test("the first holds everything, the next what changed; both arrive as they are", async () => {
    const second = await fullAndLittle();
    expect(ends.record.rounds.map(({ number, parent, state }) => [number, parent, state])).toEqual([
      [1, null, "done"],
      [2, 1, "done"],
    ]);
    expect(second).toMatchObject({
      pages: { scanned: 40, skipped: 36, written: 4 },
      bytes: 4 * 4096 + 9,
      shipped: 4 * 4096 + 9,
      frozenMs: 21,
      answerMs: expect.any(Number),
      failure: null,
    });
    expect(second.sinceParentMs).toBeGreaterThan(0);
    expect(ends.jobs.map(({ parent }) => parent)).toEqual([undefined, "../1"]);
    expect(readFileSync(join(ends.arrived, "1/pages-1.img")).equals(full.pages)).toBe(true);
    expect(readFileSync(join(ends.arrived, "2/pages-1.img")).equals(little.pages)).toBe(true);
  });

  test("another daemon goes on with the chain", async () => {
    await fullAndLittle();
    const record = await ends.another();
    expect(ends.rounds.chain).toEqual([1, 2]);
    expect(record.rounds.map(({ state }) => state)).toEqual(["done", "done"]);
  });
});

describe("a round that fails takes the chain along", () => {
  const failing: [string, Dump, RegExp][] = [
    [
      "CRIU fails",
      { ...little, code: 1 },
      /criu pre-dump exited with 1; the service goes on \(processes: 1\)/,
    ],
    [
      "CRIU did not use the parent",
      { ...little, skipped: 0 },
      /no page was skipped although round 1 was there/,
    ],
  ];
  test.each(failing)("%s", async (_, dump, message) => {
    await ends.make();
    ends.dump = dump;
    const second = await ends.make();
    expect(second).toMatchObject({ state: "failed", failure: { message: expect.stringMatching(message) } });
    expect(ends.rounds.chain).toEqual([]);
    expect(listed(ends.images)).toEqual([]);
    expect(listed(ends.arrived)).toEqual([]);
    ends.dump = full;
    expect(await ends.make()).toMatchObject({ number: 3, parent: null, state: "done" });
    expect(listed(ends.arrived)).toEqual(["3"]);
    expect(ends.jobs.at(-1)?.parent).toBeUndefined();
  });

  test("the destination refuses what arrives", async () => {
    ends.refuse = { round: new HttpError(409, "INCOMPLETE", "a segment is missing") };
    expect(await ends.make()).toMatchObject({
      state: "failed",
      failure: { message: expect.stringContaining("a segment is missing") },
    });
  });

  test("the destination must have forgotten before the next round is announced", async () => {
    ends.dump = { ...full, code: 1 };
    ends.refuse = { forget: new HttpError(409, "STATE", "not now") };
    await ends.make();
    await expect(ends.begin()).rejects.toMatchObject({ status: 409, code: "NOT_READY" });
    ends.refuse = {};
    ends.asked.length = 0;
    ends.dump = full;
    expect((await ends.make()).state).toBe("done");
    expect(ends.asked).toEqual(["forget", "expect", "round"]);
  });

  test("it is on the disk as under way before CRIU touches the tree, and a daemon's death leaves it failed", async () => {
    await ends.make();
    let before: Round[] = [];
    ends.onDump = () => (before = stored());
    ends.dump = { ...little, takes: 4000 };
    await ends.begin();
    while (ends.jobs.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(before.map(({ state }) => state)).toEqual(["done", "dumping"]);
    const dead = ends.rounds;
    const record = await ends.another();
    expect(record.rounds.at(-1)).toMatchObject({ state: "failed", failure: { step: "round" } });
    expect(ends.rounds.chain).toEqual([]);
    expect(listed(ends.images)).toEqual([]);
    await dead.stop("the test is over");
  });
});

describe("what is refused before anything is dumped", () => {
  test("a kernel that does not track pages: CRIU is never called", async () => {
    ends.features = [];
    await expect(ends.begin()).rejects.toMatchObject({ status: 409, code: "NOT_READY" });
    expect(ends.jobs).toEqual([]);
    expect(ends.rounds.busy).toBe(false);
  });

  test("a destination without room", async () => {
    ends.refuse = { expect: new HttpError(409, "NO_ROOM", "at the destination is no room") };
    await expect(ends.begin()).rejects.toThrow("at the destination is no room");
    expect([ends.jobs, ends.record.rounds]).toEqual([[], []]);
  });

  test("for a chain there is no room any more: it makes way for a full round", async () => {
    await ends.make();
    ends.refuseOnce = { expect: new HttpError(409, "NO_ROOM", "at the destination is no room") };
    expect(await ends.make()).toMatchObject({ number: 2, parent: null, state: "done" });
    expect(ends.record.rounds[0]).toMatchObject({
      state: "failed",
      failure: { message: expect.stringContaining("the next round is full") },
    });
    expect(listed(ends.arrived)).toEqual(["2"]);
  });

  test("a round while another is under way", async () => {
    ends.dump = { ...full, takes: 300 };
    await ends.begin();
    await expect(ends.begin()).rejects.toMatchObject({ status: 409, code: "ROUND_UNDER_WAY" });
    await ends.rounds.stop("enough");
    expect(ends.record.rounds.at(-1)).toMatchObject({
      state: "failed",
      failure: { message: expect.stringContaining("enough") },
    });
  });
});

test("whoever has seen a round's end may begin the next at once", async () => {
  ends.dump = { ...full, code: 1 };
  await ends.begin();
  while (ends.record.rounds.at(-1)?.state !== "failed")
    await new Promise((resolve) => setTimeout(resolve, 1));
  ends.dump = full;
  await ends.begin();
  await expect(ends.begin()).rejects.toMatchObject({ code: "ROUND_UNDER_WAY" });
  await ends.rounds.stop("enough");
});

test("tuning is kept for the next daemon", async () => {
  await ends.rounds.tune({ bandwidth: 5_000_000 });
  await ends.rounds.tune({ downtime: 300 });
  expect((await ends.another()).tuning).toEqual({ bandwidth: 5_000_000, downtime: 300 });
  await ends.rounds.tune({ bandwidth: null });
  expect((await ends.another()).tuning).toEqual({ bandwidth: null, downtime: 300 });
});
