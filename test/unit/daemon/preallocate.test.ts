import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  giveBackReserve,
  isMemory,
  preallocateImages,
  removeUnused,
  reserveMemory,
} from "../../../src/daemon/preallocate.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "fastmig-pages-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("each process's page image is there before it comes, with the memory for it, where it is worth the while", async () => {
  await preallocateImages(join(directory, "final"), [70e6, 8192, 64 * 2 ** 20]);
  expect((await readdir(join(directory, "final"))).sort()).toEqual(["pages-1.img", "pages-3.img"]);
  expect((await stat(join(directory, "final", "pages-1.img"))).blocks * 512).toBeGreaterThanOrEqual(70e6);
});

test("what came under no such name is removed, and nothing else", async () => {
  for (const name of ["pages-1.img", "pages-2.img", "pages-3.img"])
    await writeFile(join(directory, name), "");
  await removeUnused(directory, new Set(["pages-2.img", "core-1000.img"]));
  expect(await readdir(directory)).toEqual(["pages-2.img"]);
});

describe("a reserve", () => {
  let memory: string;
  beforeEach(async () => {
    memory = await mkdtemp("/dev/shm/fastmig-reserve-");
  });
  afterEach(() => rm(memory, { recursive: true }));
  const held = (): Promise<number> =>
    stat(join(memory, "reserve", "memory")).then(
      ({ blocks }) => blocks * 512,
      () => 0,
    );

  test("holds its memory until it is given back, and leaves nothing behind", async () => {
    await reserveMemory(memory, 100e6, 0);
    expect(await held()).toBeGreaterThanOrEqual(100e6);
    await giveBackReserve(memory);
    expect(await readdir(memory)).toEqual([]);
    await giveBackReserve(memory);
  });

  test("is not taken from the images, nor on a disk", async () => {
    await reserveMemory(memory, 100e6, 2 ** 52);
    expect(await held()).toBe(0);
    await reserveMemory(directory, 100e6, 0);
    expect(await readdir(directory)).toEqual((await isMemory(directory)) ? ["reserve"] : []);
  });

  test("for which there is no room is no error here", async () => {
    await reserveMemory(memory, 2 ** 52, 0);
    expect(await held()).toBe(0);
  });
});

test("a disk that is too small for the images is no error here", async () => {
  await preallocateImages(directory, [2 ** 52]);
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const sizes = files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)));
  expect((await Promise.all(sizes)).filter(({ blocks }) => blocks > 0)).toEqual([]);
});
