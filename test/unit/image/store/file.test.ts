import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileStore } from "../../../../src/image/store/file.js";
import { publish } from "../../../../src/image/image.js";
import type { Manifest } from "../../../../src/image/manifest.js";
import { someManifest } from "../../../support/image.js";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "fastmig-store-")), "image");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

test("what is not there is undefined, also where the place itself is not", async () => {
  const store = new FileStore(path);
  expect(await store.read("manifest.json")).toBeUndefined();
  expect(await store.size("manifest.json")).toBeUndefined();
  expect(await store.readAt("manifest.json", 0, 1)).toBeUndefined();
  expect(await store.list()).toEqual([]);
  expect(await store.below()).toEqual([]);
});

test("nobody else may read what is made, and nothing is made twice", async () => {
  const store = new FileStore(path);
  const {
    paths: [one = ""],
  } = await store.create(["one"]);
  await store.write("two", "2");
  expect([path, one, join(path, "two")].map((each) => statSync(each).mode & 0o777)).toEqual([
    0o700, 0o600, 0o600,
  ]);
  await expect(store.create(["one"])).rejects.toThrow("EEXIST");
});

test("a part of an object, and what is left of it", async () => {
  const store = new FileStore(path);
  await store.create([]);
  await store.write("one", "0123456789");
  expect(String(await store.readAt("one", 3, 4))).toBe("3456");
  expect(String(await store.readAt("one", 8, 4))).toBe("89");
});

/** The objects that a manifest names, of its sizes. */
async function created(store: FileStore, id: string): Promise<Manifest> {
  const manifest = someManifest({ id });
  manifest.index.name = `${id}.index`;
  manifest.shards = [{ name: `${id}-1.shard`, size: 200 }];
  const { paths } = await store.create([manifest.index.name, `${id}-1.shard`]);
  [manifest.index.size, 200].forEach((size, at) => writeFileSync(paths[at] ?? "", Buffer.alloc(size)));
  return manifest;
}

test("a manifest takes the place of the one before, whose objects go; what is not ours stays", async () => {
  const store = new FileStore(path);
  await publish(store, "{}", await created(store, "01JCXZ0000000000000000000B"));
  writeFileSync(join(path, "notes.txt"), "mine");
  const young = await created(store, "01JCXZ0000000000000000000C");
  await publish(store, "{}", young);
  const left = [`${young.id}-1.shard`, `${young.id}.index`, "manifest.json", "notes.txt"];
  expect(readdirSync(path).sort()).toEqual(left);
});

test("no manifest is written while something is shorter than what was taken", async () => {
  const store = new FileStore(path);
  const manifest = await created(store, "01JCXZ0000000000000000000B");
  writeFileSync(join(path, `${manifest.id}-1.shard`), Buffer.alloc(199));
  await expect(publish(store, "{}", manifest)).rejects.toThrow("199 bytes, not the 200");
  expect(await store.read("manifest.json")).toBeUndefined();
});

test("an empty place is cleared, another one is not", async () => {
  const store = new FileStore(path);
  await store.create([]);
  await store.write("one", "1");
  await store.clear();
  expect(existsSync(path)).toBe(true);
  await store.remove(["one", "two"]);
  await store.clear();
  expect(existsSync(path)).toBe(false);
});
