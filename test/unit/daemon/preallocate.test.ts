import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  giveBackReserve,
  preallocateImages,
  removeUnused,
  reserveMemory,
} from "../../../src/daemon/preallocate.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-pages-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("each process's page image is there before it comes, with the memory for it", async () => {
  await preallocateImages(join(directory, "final"), [8192, 0, 4096]);
  expect((await readdir(join(directory, "final"))).sort()).toEqual(["pages-1.img", "pages-3.img"]);
  expect((await stat(join(directory, "final", "pages-1.img"))).blocks).toBeGreaterThanOrEqual(16);
});

test("what came under no such name is removed, and nothing else", async () => {
  await preallocateImages(directory, [4096, 4096, 4096]);
  await removeUnused(directory, new Set(["pages-2.img", "core-1000.img"]));
  expect(await readdir(directory)).toEqual(["pages-2.img"]);
});

test("a reserve holds its memory until it is given back, and leaves nothing behind", async () => {
  await reserveMemory(directory, 1024 * 1024);
  expect((await stat(join(directory, "reserve", "memory"))).blocks * 512).toBeGreaterThanOrEqual(1024 * 1024);
  await giveBackReserve(directory);
  expect(await readdir(directory)).toEqual([]);
  await giveBackReserve(directory);
});

test("a disk that is too small for it is no error here", async () => {
  await reserveMemory(directory, 2 ** 52);
  await preallocateImages(directory, [2 ** 52]);
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  expect((await Promise.all(sizes)).filter(({ blocks }) => blocks > 0)).toEqual([]);
});
