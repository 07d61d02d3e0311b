import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeImages, NoRoom } from "../../../src/daemon/images.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fastmig-images-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const paths = (): { state: string; runtime: string; images: string } => {
  const at = { state: join(root, "state"), runtime: root, images: join(root, "memory") };
  for (const path of [at.state, at.images]) mkdirSync(path, { recursive: true });
  return at;
};
const plenty = { memory: 1e6, reserve: 0 };

describe("where images go", () => {
  test("into memory where they fit beside what is kept back, else on the disk", async () => {
    const at = paths();
    const first = { bytes: 1000, into: "final" };
    expect(await makeImages(at, "one", first, plenty)).toBe(join(at.images, "one"));
    expect(await makeImages(at, "two", first, { memory: 1500, reserve: 600 })).toBe(
      join(at.state, "images", "two"),
    );
  });

  test("what does not fit anywhere is refused, and nothing is made", async () => {
    const at = paths();
    await expect(makeImages(at, "one", { bytes: 1e18, into: "1" }, plenty)).rejects.toThrow(
      /no room for 1000000TB of images: .*memory may take 1MB, and below .*state are /,
    );
    expect(existsSync(join(at.images, "one"))).toBe(false);
  });

  test("later rounds have to fit where the first one is", async () => {
    const at = paths();
    await makeImages(at, "one", { bytes: 1000, into: "1" }, plenty);
    const more = makeImages(at, "one", { bytes: 2000, into: "2" }, { memory: 1500, reserve: 0 });
    await expect(more).rejects.toThrow(NoRoom);
  });

  test("what has come already, or was allocated, needs no room again", async () => {
    const at = paths();
    const images = await makeImages(at, "one", { bytes: 8192, into: "final" }, plenty);
    mkdirSync(join(images, "final"));
    writeFileSync(join(images, "final", "pages-1.img"), Buffer.alloc(8192));
    expect(await makeImages(at, "one", { bytes: 8192, into: "final" }, { memory: 100, reserve: 0 })).toBe(
      images,
    );
  });
});
