import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listImages } from "../../../src/image/catalog.js";
import { extractFastFreeze } from "../../../src/image/extract.js";
import { openImage } from "../../../src/image/open.js";
import { type FastFreezeOptions, writeFastFreeze } from "../../support/fastfreeze.js";

let directory: string;
let place: string;
let secret: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fastmig-fastfreeze-"));
  place = join(directory, "image");
  secret = join(directory, "secret");
  writeFileSync(secret, "correct horse\n");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const files = {
  "inventory.img": Buffer.from("inventory"),
  "pages-1.img": Buffer.concat([randomBytes(500_000), Buffer.alloc(1_000_000)]),
  "fs.tar": randomBytes(70_001),
  "empty.img": Buffer.alloc(0),
};
const passphrase = Buffer.from("correct horse");

async function extract(more: { passphrase?: Buffer | null; anyVersion?: boolean } = {}): Promise<string> {
  const image = await openImage(place, {});
  if (image.made !== "FastFreeze") throw new Error("it is not taken for FastFreeze's");
  const to = mkdtempSync(join(directory, "extracted-"));
  await extractFastFreeze(image, { passphrase: null, anyVersion: false, ...more }, to);
  return to;
}

const ways: FastFreezeOptions[] = (["Lz4", "Zstd", null] as const).flatMap((compression) => [
  { compression, passphrase: null },
  { compression, passphrase: "" },
  { compression, passphrase: null, shards: 1 },
]);

test.each(ways)("its files are what they were: %j", async (way) => {
  const encrypted = way.passphrase !== null;
  writeFastFreeze(place, files, { ...way, passphrase: encrypted ? secret : null });
  const to = await extract({ passphrase: encrypted ? passphrase : null });
  expect(readdirSync(to).sort()).toEqual(Object.keys(files).sort());
  for (const [name, content] of Object.entries(files))
    expect(readFileSync(join(to, name)).equals(content)).toBe(true);
});

test("it is listed, with what is known of it", async () => {
  writeFastFreeze(place, files, { compression: "Lz4", passphrase: secret });
  expect((await listImages(directory, {})).images).toEqual([
    {
      ...{ url: `file:${place}`, made: "FastFreeze", service: null, createdAt: null, bytes: null },
      ...{ stored: expect.any(Number), packing: "lz4", encrypted: true },
    },
  ]);
});

test("another version is read only where that is asked for", async () => {
  writeFastFreeze(place, files, { compression: null, passphrase: null, version: "2020-01-01" });
  await expect(extract()).rejects.toMatchObject({ code: "IMAGE_VERSION" });
  expect(readdirSync(await extract({ anyVersion: true }))).toHaveLength(4);
});

test.each([
  ["no passphrase", null, /is encrypted/],
  ["another passphrase", Buffer.from("wrong"), /another passphrase, or is damaged/],
])("%s: %s", async (_, given, said) => {
  for (const compression of ["Lz4", "Zstd", null] as const) {
    writeFastFreeze(place, files, { compression, passphrase: secret });
    const refused = { code: "IMAGE_PASSPHRASE", message: expect.stringMatching(said) };
    await expect(extract({ passphrase: given })).rejects.toMatchObject(refused);
  }
});

test.each([
  ["a shard is missing", () => rmSync(join(place, "aaNN7y-2.ffs")), /aaNN7y-2\.ffs is missing/],
  ["a shard is shorter", () => truncateSync(join(place, "aaNN7y-2.ffs"), 50_000), /is damaged: a shard ends/],
  [
    "a shard has ended",
    () => truncateSync(join(place, "aaNN7y-2.ffs"), 0),
    /the image ends after \d+ markers/,
  ],
  [
    "a shard begins otherwise",
    () => writeFileSync(join(place, "aaNN7y-1.ffs"), randomBytes(999)),
    /no marker|ends/,
  ],
  [
    "the manifest is broken",
    () => writeFileSync(join(place, "manifest.json"), '{"version":"1","shard_prefix":"../x"}'),
    /FastFreeze's manifest: \w+ is not/,
  ],
])("%s", async (_, damage, said) => {
  writeFastFreeze(place, files, { compression: null, passphrase: null });
  damage();
  await expect(extract()).rejects.toMatchObject({
    code: "IMAGE_DAMAGED",
    message: expect.stringMatching(said),
  });
});

test("what is packed and damaged is told as well", async () => {
  for (const compression of ["Lz4", "Zstd"] as const) {
    writeFastFreeze(place, files, { compression, passphrase: null });
    const shard = join(place, "aaNN7y-2.ffs");
    truncateSync(shard, 1000);
    appendFileSync(shard, randomBytes(1000));
    await expect(extract()).rejects.toMatchObject({ code: "IMAGE_DAMAGED" });
  }
});

test("a file that CRIU does not write is not written", async () => {
  writeFastFreeze(place, { "../../evil": Buffer.from("x") }, { compression: null, passphrase: null });
  await expect(extract()).rejects.toMatchObject({
    code: "IMAGE_DAMAGED",
    message: expect.stringContaining("evil"),
  });
});
