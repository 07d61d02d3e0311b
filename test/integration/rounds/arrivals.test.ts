/** What the destination makes of the chain when the final dump is announced, and after a daemon's death. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExpectRequest, type FinalRequest } from "../../../src/daemon/api.js";
import { Arrivals } from "../../../src/daemon/handover/arrivals.js";
import { bundleHead } from "../../../src/daemon/transfer/bundle.js";
import { digestOf } from "../../../src/daemon/transfer/digest.js";
import { openReceiver } from "../../../src/daemon/transfer/receiver.js";
import { id, me, scratch, type Scratch } from "../transfer/ends.js";

let at: Scratch;
let images: string;
let directory: string;

const bytes = Buffer.from("pages of a round");
const segment = { offset: 0, length: bytes.length, digest: digestOf(bytes) };
const chain = [1, 2].map((round) => ({
  round,
  files: [{ file: `${round}/pages-1.img`, size: bytes.length, segments: [segment] }],
}));
const announced: ExpectRequest = {
  ...{ epoch: 1, highestPid: 100, ...me, round: null, chain, bytes: 1000, tree: 0, reserve: 0, pages: [] },
};
const tree = { rootPid: 100, highestPid: 100, ...me, groups: [], stdoutInode: null, stderrInode: null };
const final: FinalRequest = { epoch: 1, files: [], tree };

beforeEach(async () => {
  at = scratch();
  images = at.destination;
  directory = join(at.path, "migration");
  mkdirSync(directory);
  await arrive();
});
afterEach(() => at.remove());

/** Both rounds, as an earlier daemon took them. */
async function arrive(): Promise<void> {
  const journal = join(directory, "segments.ndjson");
  const receiver = await openReceiver({ directory: images, journal, maxTotal: 1e6 });
  for (const { files } of chain) {
    for (const { file } of files) {
      const bundle = Buffer.concat([bundleHead([{ file, ...segment }]), bytes]);
      await receiver.receive(async (into) => bundle.copy(into));
    }
  }
  await receiver.close();
}

async function arrivals(): Promise<Arrivals> {
  const handler = (): void => undefined;
  const begun = new Arrivals({ id, directory, handler, onTaken: async () => undefined });
  await begun.reopen(images);
  return begun;
}

test("a chain that is whole is linked and given its owner before the freeze", async () => {
  const begun = await arrivals();
  await begun.expect(images, announced);
  expect([readlinkSync(join(images, "2/parent")), readlinkSync(join(images, "final/parent"))]).toEqual([
    "../1",
    "../2",
  ]);
  expect(statSync(join(images, "1/pages-1.img"))).toMatchObject(me);
  await begun.verify(final);
  await begun.close();
});

test.each([
  ["lacks a file", (): void => rmSync(join(images, "2/pages-1.img"))],
  ["has other bytes", (): void => writeFileSync(join(images, "2/pages-1.img"), "other")],
])("a chain that %s is refused before the freeze", async (_, spoil) => {
  spoil();
  const begun = await arrivals();
  await expect(begun.expect(images, announced)).rejects.toMatchObject({ code: "INCOMPLETE" });
  await begun.close();
});

test("a round that the chain does not name is refused", async () => {
  const begun = await arrivals();
  const shorter = { ...announced, chain: chain.slice(0, 1) };
  await expect(begun.expect(images, shorter)).rejects.toMatchObject({
    problems: ["2/pages-1.img: not in the list"],
  });
  await begun.close();
});

test("a final list that was not announced is refused", async () => {
  const begun = await arrivals();
  await expect(begun.verify(final)).rejects.toMatchObject({ code: "NOT_EXPECTED" });
  await begun.close();
});

test("another daemon looks at the chain again before it restores", async () => {
  await (await arrivals()).expect(images, announced);
  const whole = await arrivals();
  await whole.verify(final);
  await whole.close();
  writeFileSync(join(images, "1/pages-1.img"), "other");
  const broken = await arrivals();
  await expect(broken.verify(final)).rejects.toMatchObject({
    problems: [expect.stringContaining("1/pages-1.img")],
  });
  await broken.close();
});
