import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { latestImage, listImages, pruneImages } from "../../../src/image/catalog.js";
import { makeKeys } from "../../../src/image/keys.js";
import { writeManifest } from "../../../src/image/manifest.js";
import { someManifest } from "../../support/image.js";

let place: string;
beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "fastmig-catalog-"));
  for (const [name, service, day] of [
    ["r1", "redis", 20],
    ["r2", "redis", 21],
    ["r3", "redis", 22],
    ["c1", "counter", 19],
  ] as const)
    await put(name, service, `2026-11-${day}T08:00:00.000Z`);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

async function put(name: string, service: string, createdAt: string): Promise<void> {
  const { keys, source } = await makeKeys(null);
  const some = someManifest({ createdAt, key: source });
  const manifest = { ...some, service: { ...some.service, name: service } };
  mkdirSync(join(place, name));
  for (const object of [manifest.index, ...manifest.shards])
    writeFileSync(join(place, name, object.name), Buffer.alloc(object.size));
  writeFileSync(join(place, name, "manifest.json"), writeManifest(manifest, keys));
}

const names = (images: readonly { url: string }[]): string[] =>
  images.map(({ url }) => url.slice(`file:${place}/`.length));

test("the newest first, with what they take; what cannot be read is named", async () => {
  mkdirSync(join(place, "other"));
  writeFileSync(join(place, "other", "manifest.json"), '{"format": "another", "version": "3"}');
  mkdirSync(join(place, "unfinished"));
  const { images, unread } = await listImages(place, {});
  expect(names(images)).toEqual(["r3", "r2", "r1", "c1"]);
  expect(images[0]).toMatchObject({ service: "redis", stored: 300, bytes: 4096, encrypted: false });
  expect(unread).toEqual([
    { url: `file:${place}/other`, problem: expect.stringContaining("an image of another version 3") },
  ]);
});

const now = new Date("2026-11-23T08:00:00Z");
const day = 24 * 60 * 60 * 1000;

test.each([
  [{ keepLast: 1, olderThan: 0 }, ["r2", "r1"]],
  [{ keepLast: 2, olderThan: 0 }, ["r1"]],
  [{ keepLast: 0, olderThan: 2.5 * day }, ["r1", "c1"]],
  [{ keepLast: 1, olderThan: 2.5 * day }, ["r1"]],
  [{ keepLast: 9, olderThan: 0 }, []],
])("%j removes %j", async (retention, gone) => {
  expect(names(await pruneImages(place, {}, { ...retention, now, dryRun: true }))).toEqual(gone);
  expect(readdirSync(place)).toHaveLength(4);
  expect(names(await pruneImages(place, {}, { ...retention, now, dryRun: false }))).toEqual(gone);
  for (const name of ["r1", "r2", "r3", "c1"])
    expect(existsSync(join(place, name))).toBe(!gone.includes(name));
});

test("of one service alone, where it is named", async () => {
  const retention = { service: "redis", keepLast: 0, olderThan: 0, now, dryRun: false };
  expect(names(await pruneImages(place, {}, retention))).toEqual(["r3", "r2", "r1"]);
  expect(readdirSync(place)).toEqual(["c1"]);
});

test("the newest of a service, at a place or right below it", async () => {
  expect(names([{ url: await latestImage(place, {}, "redis") }])).toEqual(["r3"]);
  expect(names([{ url: await latestImage(join(place, "r2"), {}, "redis") }])).toEqual(["r2"]);
  await expect(latestImage(place, {}, "other")).rejects.toMatchObject({ code: "IMAGE_MISSING" });
});
