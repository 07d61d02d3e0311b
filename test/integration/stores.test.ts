/** What every store has to do, on real servers: Ceph's, a model of Google's, a command that copies. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openStore } from "../../src/image/store/open.js";
import type { Store, Upload } from "../../src/image/store/store.js";
import { below, parseImageUrl } from "../../src/image/url.js";
import { type GoogleServer, startGoogle } from "../support/stores/google-server.js";
import { bucket, startCeph, type StoreServer } from "../support/stores/servers.js";

const host = "127.0.0.1";
let directory: string;
let ceph: StoreServer;
let google: GoogleServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-stores-"));
  ceph = await startCeph(host);
  google = await startGoogle(host, [bucket]);
  await mkdir(join(directory, bucket));
  await writeFile(join(directory, "copy"), copies, { mode: 0o755 });
}, 300_000);

afterAll(async () => {
  await google.close();
  await ceph.stop();
  await rm(directory, { recursive: true, force: true });
});

/** `COMMAND cp FROM TO`, as `aws s3`: objects are files of this directory. */
const copies = `#!/bin/sh
set -e
[ "$1" = cp ] && shift
[ "$1" = --expected-size ] && shift 2
objects=$(dirname "$0")
case "$1" in
  -) mkdir -p "$(dirname "$objects/\${2#s3://}")"; cat > "$objects/part-$$" && mv "$objects/part-$$" "$objects/\${2#s3://}" ;;
  *) [ -e "$objects/\${1#s3://}" ] || { echo 'fatal error: An error occurred (404) when calling the HeadObject operation: Key "x" does not exist (Not Found)' >&2; exit 1; }
     cat "$objects/\${1#s3://}" ;;
esac
`;

const never = new AbortController().signal;
const kinds: Record<string, () => [string, Record<string, string>]> = {
  "Ceph's gateway": () => [`s3://${bucket}`, ceph.access],
  "a model of Google's": () => [`gs://${bucket}`, { STORAGE_EMULATOR_HOST: google.url }],
  "a command": () => [`s3://${bucket}`, { S3_CMD: join(directory, "copy") }],
};

describe.each(Object.entries(kinds))("%s", (kind, whereabouts) => {
  let place: string;
  let store: Store;
  let local: string;

  beforeEach(async () => {
    const [root, access] = whereabouts();
    place = `${root}/${randomBytes(4).toString("hex")}`;
    store = await openStore(parseImageUrl(place), access);
    local = await mkdtemp(join(directory, "local-"));
  });

  async function write(upload: Upload, contents: readonly Buffer[]): Promise<void> {
    const work = upload.paths.map((path, at) =>
      pipeline(Readable.from(chunksOf(contents[at] ?? Buffer.alloc(0))), createWriteStream(path)),
    );
    await Promise.race([Promise.all(work), upload.failed]);
  }

  test("what is not there is undefined", async () => {
    expect(await store.read("manifest.json")).toBeUndefined();
    expect(await store.size("manifest.json")).toBeUndefined();
    expect(await store.readAt("manifest.json", 0, 5)).toBeUndefined();
    await expect(store.fetch(["one"], local, never)).rejects.toThrow(`${place}: one is missing`);
  });

  test("a small object is replaced as a whole", async () => {
    await store.write("manifest.json", "one");
    await store.write("manifest.json", "another");
    expect(String(await store.read("manifest.json"))).toBe("another");
    expect(await store.size("manifest.json")).toBe(7);
  });

  test("objects of any size go through pipes, side by side, and come back", async () => {
    // A part of S3's, and what takes several.
    const sizes = [0, 1, 5 * 1024 * 1024, 23_456_789];
    const contents = sizes.map((size) => randomBytes(size));
    const names = contents.map((_, at) => `object-${at}`);
    const upload = await store.create(names, local);
    await write(upload, contents);
    await upload.settle();
    for (const [at, content] of contents.entries())
      expect(await store.size(names[at] ?? "")).toBe(content.length);
    const copies = await mkdtemp(join(local, "copies-"));
    const paths = await store.fetch(names, copies, never);
    for (const [at, content] of contents.entries())
      expect((await readFile(paths[at] ?? "")).equals(content)).toBe(true);
  }, 60_000);

  test("what is given up half way is not there", async () => {
    const upload = await store.create(["one", "two"], local);
    const writer = createWriteStream(upload.paths[0] ?? "");
    writer.on("error", () => undefined);
    writer.write(randomBytes(6_000_000));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await upload.abandon();
    writer.destroy();
    expect([await store.size("one"), await store.size("two")]).toEqual([undefined, undefined]);
  });

  test("a part of an object, and what is left of it", async () => {
    const content = randomBytes(3_000_000);
    const upload = await store.create(["one"], local);
    await write(upload, [content]);
    await upload.settle();
    expect(
      (await store.readAt("one", 1_234_567, 100_000))?.equals(content.subarray(1_234_567, 1_334_567)),
    ).toBe(true);
    expect((await store.readAt("one", 2_999_990, 100))?.equals(content.subarray(2_999_990))).toBe(true);
  });

  if (kind !== "a command")
    test("what lies here and below is listed, however much it is; what is removed is gone", async () => {
      const names = ["1.index", "1-1.shard", "1-2.shard", "manifest.json", "x"];
      for (const name of names) await store.write(name, name);
      for (const name of ["p1", "p2", "p3", "p4"]) {
        const [, access] = whereabouts();
        await (await openStore(below(parseImageUrl(place), name), access)).write("manifest.json", "{}");
      }
      expect((await store.list()).sort()).toEqual([...names].sort());
      expect((await store.below()).sort()).toEqual(["p1", "p2", "p3", "p4"]);
      await store.remove(["1-1.shard", "x", "never there"]);
      expect((await store.list()).sort()).toEqual(["1-2.shard", "1.index", "manifest.json"]);
    });
});

async function refused(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "it was not refused",
    (thrown: unknown) => thrown,
  );
}

const open = (url: string, access: Record<string, string>): Promise<Store> =>
  openStore(parseImageUrl(url), access);

test.each([
  ["another secret", () => ({ ...ceph.access, AWS_SECRET_ACCESS_KEY: "x" }), /SignatureDoesNotMatch/],
  ["a name that it does not know", () => ({ ...ceph.access, AWS_ACCESS_KEY_ID: "x" }), /InvalidAccessKeyId/],
  ["nobody there", () => ({ ...ceph.access, AWS_ENDPOINT_URL: "http://127.0.0.1:1" }), /ECONNREFUSED/],
])("S3 refuses %s before anything is written, and says so", async (_, access, why) => {
  const store = await open(`s3://${bucket}/x`, access());
  const said = { code: "IMAGE_STORE", message: expect.stringMatching(why) };
  expect(await refused(store.create(["one"], directory))).toMatchObject(said);
  expect(await refused(store.read("manifest.json"))).toMatchObject(said);
  expect(await refused(store.list())).toMatchObject(said);
});

test.each([
  ["s3", () => ceph.access],
  ["gs", () => ({ STORAGE_EMULATOR_HOST: google.url })],
])("a bucket that is not there is told: %s", async (scheme, access) => {
  const store = await open(`${scheme}://elsewhere/x`, access());
  const said = { code: "IMAGE_STORE", message: expect.stringMatching(/bucket/i) };
  expect(await refused(store.create(["one"], directory))).toMatchObject(said);
});

test("what a command says last is told", async () => {
  const store = await open(`s3://${bucket}/x`, { S3_CMD: "echo no way >&2; false" });
  const said = { code: "IMAGE_STORE", message: expect.stringContaining("no way") };
  expect(await refused(store.read("manifest.json"))).toMatchObject(said);
  const upload = await store.create(["one"], await mkdtemp(join(directory, "local-")));
  expect(await refused(upload.settle())).toMatchObject(said);
  expect(await refused(store.list())).toMatchObject({
    message: expect.stringContaining("S3_CMD only copies"),
  });
});

test("Google's store fails for a while: the upload is taken up where it was", async () => {
  const store = await open(`gs://${bucket}/again`, { STORAGE_EMULATOR_HOST: google.url });
  const content = randomBytes(30_000_000);
  const upload = await store.create(["one"], await mkdtemp(join(directory, "local-")));
  const written = pipeline(Readable.from(chunksOf(content)), createWriteStream(upload.paths[0] ?? ""));
  google.fail = 503;
  await new Promise((resolve) => setTimeout(resolve, 700));
  google.fail = undefined;
  await written;
  await upload.settle();
  expect(google.objects.get(`${bucket}/again/one`)?.equals(content)).toBe(true);
});

test("Google's store fails for good: whoever writes is told", async () => {
  const store = await open(`gs://${bucket}/gone`, { STORAGE_EMULATOR_HOST: google.url });
  const upload = await store.create(["one"], await mkdtemp(join(directory, "local-")));
  const writer = createWriteStream(upload.paths[0] ?? "").on("error", () => undefined);
  google.fail = 403;
  writer.write(randomBytes(8_000_000));
  expect(await refused(upload.failed)).toMatchObject({
    code: "IMAGE_STORE",
    message: expect.stringMatching(/403/),
  });
  google.fail = undefined;
  writer.destroy();
  await upload.abandon();
});

function* chunksOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 1 << 20) yield content.subarray(at, at + (1 << 20));
}
