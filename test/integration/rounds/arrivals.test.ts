/** What the destination makes of the rounds that come, of a final dump's announcement, and of both after a daemon's death. */
import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type ExpectRequest, type FinalRequest } from "../../../src/daemon/api.js";
import { Arrivals } from "../../../src/daemon/handover/arrivals.js";
import { nativePageLists } from "../../../src/daemon/page-lists.js";
import { bundleHead } from "../../../src/daemon/transfer/bundle.js";
import { digestOf } from "../../../src/daemon/transfer/digest.js";
import { waitFor } from "../../../src/wait.js";
import { inParent, pageList, pageSize, present, readPages } from "../../support/page-lists.js";
import { binary, makeNative } from "../native/init-bench.js";
import { id, me, scratch, type Scratch } from "../transfer/ends.js";

const final: FinalRequest = {
  epoch: 1,
  files: [],
  tree: {
    rootPid: 100,
    highestPid: 100,
    ...me,
    groups: [],
    stdoutInode: null,
    stderrInode: null,
    clocks: null,
  },
};

let at: Scratch;
let images: string;
let directory: string;
let arrivals: Arrivals;

beforeAll(makeNative, 60_000);
beforeEach(async () => {
  at = scratch();
  images = at.destination;
  directory = join(at.path, "migration");
  mkdirSync(directory);
  arrivals = await begin();
});
afterEach(async () => {
  await arrivals.close();
  at.remove();
});

async function begin(): Promise<Arrivals> {
  const begun = new Arrivals({
    ...{ id, directory, onTaken: async () => undefined },
    answers: { http: () => undefined, json: async () => ({ status: 200, json: {} }) },
    pageLists: nativePageLists(binary("pages")),
    log: { info: () => undefined, error: () => undefined },
  });
  await begun.reopen(images);
  return begun;
}

const announced = (round: number | null, chain: number[] = []): ExpectRequest => ({
  ...{ epoch: 1, highestPid: 100, ...me, groups: [], stdoutInode: null, stderrInode: null },
  ...{ round, chain, bytes: 1000, tree: 0, reserve: 0, pages: [] },
});

/** Pages 0 to 3: a number is a page that is written so, null one that the parent has. */
type Pages = (number | null)[];

function filesOf(round: number, pages: Pages): { file: string; bytes: Buffer }[] {
  const entries = pages.map((page, number) => ({
    ...{ address: 0x10000 + number * pageSize, pages: 1, flags: page === null ? inParent : present },
  }));
  const written = pages.flatMap((page) => (page === null ? [] : [Buffer.alloc(pageSize, page)]));
  return [
    { file: `${round}/pages-1.img`, bytes: Buffer.concat(written) },
    { file: `${round}/pagemap-7.img`, bytes: pageList(entries, 1) },
  ];
}

async function send(file: string, bytes: Buffer): Promise<void> {
  const segment = { file, offset: 0, length: bytes.length, digest: digestOf(bytes) };
  const body = Buffer.concat([bundleHead([segment]), bytes]);
  const headers = { "content-length": `${body.length}` };
  await arrivals.segments(Object.assign(Readable.from([body]), { headers }) as IncomingMessage);
}

const listed = (files: ReturnType<typeof filesOf>) =>
  files.map(({ file, bytes }) => ({
    ...{ file, size: bytes.length },
    segments: [{ offset: 0, length: bytes.length, digest: digestOf(bytes) }],
  }));

async function round(number: number, pages: Pages): Promise<void> {
  await arrivals.expect(images, announced(number));
  const files = filesOf(number, pages);
  for (const { file, bytes } of files) await send(file, bytes);
  await arrivals.takeRound({ epoch: 1, round: number, files: listed(files) });
}

const folded = (round: number): Promise<true> =>
  waitFor(
    `round ${round} to be folded`,
    async () => (existsSync(join(images, `${round}`)) ? undefined : true),
    {
      timeout: 4000,
      interval: 5,
    },
  );

/** The first byte of each page that a restore would find behind the link of the final dump. */
function restored(): number[] {
  const level = join(images, "final", readlinkSync(join(images, "final/parent")));
  return [...readPages(level, "pagemap-7.img").values()].map((bytes) => bytes[0] ?? NaN);
}

test("what later rounds brought is where the first one has it; the final dump is linked to that before its list is taken", async () => {
  await round(1, [1, 1, 1, 1]);
  await round(2, [null, 2, null, 2]);
  await round(3, [null, 3, 3, null]);
  await folded(3);
  await arrivals.expect(images, announced(null, [1, 2, 3]));
  await arrivals.verify(final);
  expect(readdirSync(images).sort()).toEqual(["1", "final"]);
  expect(restored()).toEqual([1, 3, 3, 2]);
  expect(statSync(join(images, "1/pages-1.img"))).toMatchObject(me);
});

test("a round that comes after the final dump was announced is one more that it builds on", async () => {
  await round(1, [1, 1, 1, 1]);
  await round(2, [null, 2, null, 2]);
  await arrivals.expect(images, announced(null, [1, 2]));
  await round(3, [null, 3, 3, null]);
  await expect(arrivals.verify(final)).rejects.toMatchObject({ code: "NOT_EXPECTED" });
  await arrivals.expect(images, announced(null, [1, 2, 3]));
  await arrivals.verify(final);
  expect(restored()).toEqual([1, 3, 3, 2]);
});

test.each<[string, () => Promise<unknown>, string]>([
  ["lacks a file", () => Promise.resolve(), "2/pages-1.img: 4096 bytes at 0 are missing"],
  [
    "has other bytes",
    () => send("2/pages-1.img", Buffer.alloc(pageSize, 9)),
    "2/pages-1.img: other bytes at 0",
  ],
])("a round that %s is refused", async (_, instead, problem) => {
  await round(1, [1, 1, 1, 1]);
  await arrivals.expect(images, announced(2));
  const files = filesOf(2, [null, 2, null, null]);
  for (const { file, bytes } of files.slice(1)) await send(file, bytes);
  await instead();
  const arrived = { epoch: 1, round: 2, files: listed(files) };
  await expect(arrivals.takeRound(arrived)).rejects.toMatchObject({
    code: "INCOMPLETE",
    problems: [problem],
  });
});

test("asked again for a round that was taken, it answers the same, and takes nothing more of it", async () => {
  await round(1, [1, 1, 1, 1]);
  const files = filesOf(1, [1, 1, 1, 1]);
  await arrivals.takeRound({ epoch: 1, round: 1, files: listed(files) });
  await expect(send("1/pages-1.img", Buffer.alloc(pageSize))).rejects.toMatchObject({ code: "NOT_EXPECTED" });
});

test.each([[[1]], [[1, 2, 3]], [[2, 1]], [[]]])(
  "a chain of %j where rounds 1 and 2 are here is refused",
  async (chain) => {
    await round(1, [1, 1, 1, 1]);
    await round(2, [null, 2, null, null]);
    await expect(arrivals.expect(images, announced(null, chain))).rejects.toMatchObject({
      code: "INCOMPLETE",
    });
    await expect(arrivals.verify(final)).rejects.toMatchObject({ code: "NOT_EXPECTED" });
  },
);

test("a final list that was not announced is refused", async () => {
  await round(1, [1, 1, 1, 1]);
  await expect(arrivals.verify(final)).rejects.toMatchObject({ code: "NOT_EXPECTED" });
});

test("another daemon goes on with what was folded, and folds no more into it", async () => {
  await round(1, [1, 1, 1, 1]);
  await round(2, [null, 2, null, 2]);
  await folded(2);
  await arrivals.close();
  arrivals = await begin();
  await round(3, [null, 3, 3, null]);
  await arrivals.expect(images, announced(null, [1, 2, 3]));
  await arrivals.close();
  expect(readdirSync(images).sort()).toEqual(["1", "3", "final"]);
  expect(restored()).toEqual([1, 3, 3, 2]);
  arrivals = await begin();
  await arrivals.verify(final);
});

test("rounds that are forgotten are gone, whatever was folded of them, and the next full one begins anew", async () => {
  await round(1, [1, 1, 1, 1]);
  await round(2, [null, 2, null, 2]);
  await arrivals.forgetRounds();
  expect(existsSync(join(images, "1"))).toBe(false);
  await round(3, [5, 5, 5, 5]);
  await round(4, [6, null, null, null]);
  await folded(4);
  await arrivals.expect(images, announced(null, [3, 4]));
  await arrivals.verify(final);
  expect(restored()).toEqual([6, 5, 5, 5]);
  expect(readFileSync(join(directory, "arrived-rounds.json"), "utf8")).toBe(
    JSON.stringify({ rounds: [3, 4], levels: ["3"], announced: true }),
  );
});
