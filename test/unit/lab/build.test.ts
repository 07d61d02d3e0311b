import { mkdtemp, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { buildCommands } from "../../../src/lab/builder.js";
import { cached, exists } from "../../../src/lab/cache.js";
import { contextDigest, layOut } from "../../../src/lab/context.js";
import { cacheDir } from "../../../src/lab/paths.js";
import { mmdebstrap, nodeRecipe } from "../../../src/lab/recipe.js";

let dir: string;
const before = process.env.XDG_CACHE_HOME;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "fastmig-lab-"));
  process.env.XDG_CACHE_HOME = dir;
});

afterEach(async () => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await rm(dir, { recursive: true });
});

test("mmdebstrap: the first suite is installed, the mirror serves all, apt's settings go along", () => {
  const argv = mmdebstrap(nodeRecipe, { mirror: "http://m/debian", options: ['A "b";'] }, "tar", "/out");
  expect(argv.slice(-4)).toEqual([
    "trixie",
    "/out",
    "deb http://m/debian trixie main",
    "deb http://m/debian sid main",
  ]);
  expect(argv).toEqual(
    expect.arrayContaining(["--format=tar", '--aptopt=A "b";', "--include=podman", "--include=criu"]),
  );
});

test("podman build: by argv, quoted once", () => {
  const commands = buildCommands({
    base: "/c/base-1.tar",
    on: undefined,
    tag: "localhost/x:1",
    args: { M: "http://m/a b" },
  });
  expect(commands).toContain(
    "podman build --isolation=chroot --network=host --layers --pull=never --build-arg 'M=http://m/a b' -t localhost/x:1 -f /srv/Dockerfile /srv/context",
  );
});

test("an image to stand on is loaded where the builder lacks it", () => {
  const on = { id: "0123", archive: "/c/image.tar" };
  const commands = buildCommands({ base: "/c/base-1.tar", on, tag: "localhost/x:1", args: {} });
  expect(commands).toContain("podman image exists 0123 || podman load -q -i /srv/on.tar");
});

describe("the cache", () => {
  test("what is built gets its name last, and is built once", async () => {
    const names: string[] = [];
    const make = (beside: string): Promise<void> => {
      names.push(beside);
      return writeFile(beside, "whole");
    };
    const path = await cached("thing", make);
    expect(await cached("thing", make)).toBe(path);
    expect(names).toEqual([join(cacheDir(), ".partial-thing")]);
    expect(await readFile(path, "utf8")).toBe("whole");
  });

  test("a build that fails leaves nothing that counts, and the next begins afresh", async () => {
    const fail = async (beside: string): Promise<void> => {
      await mkdir(beside);
      await writeFile(join(beside, "half"), "");
      throw new Error("killed");
    };
    await expect(cached("thing", fail)).rejects.toThrow("killed");
    expect(await exists(join(cacheDir(), "thing"))).toBe(false);
    const path = await cached("thing", async (beside) => void (await mkdir(beside)));
    expect(await exists(join(path, "half"))).toBe(false);
  });

  test("two at the same time: one builds, the other takes it", async () => {
    let builds = 0;
    const make = (beside: string): Promise<void> => {
      builds += 1;
      return writeFile(beside, "");
    };
    await Promise.all([cached("thing", make), cached("thing", make), cached("thing", make)]);
    expect(builds).toBe(1);
  });
});

describe("an image's context", () => {
  test("names, contents and words count; times do not", async () => {
    const file = join(dir, "file");
    await writeFile(file, "one");
    const digest = await contextDigest({ "srv/file": file }, ["FROM x"]);
    await utimes(file, 1, 1);
    expect(await contextDigest({ "srv/file": file }, ["FROM x"])).toBe(digest);
    expect(await contextDigest({ "srv/other": file }, ["FROM x"])).not.toBe(digest);
    expect(await contextDigest({ "srv/file": file }, ["FROM y"])).not.toBe(digest);
    await writeFile(file, "two");
    expect(await contextDigest({ "srv/file": file }, ["FROM x"])).not.toBe(digest);
  });

  test("directories are taken whole", async () => {
    await mkdir(join(dir, "from/deep"), { recursive: true });
    await writeFile(join(dir, "from/deep/file"), "one");
    await layOut({ "a/b": join(dir, "from") }, join(dir, "to"));
    expect(await readFile(join(dir, "to/a/b/deep/file"), "utf8")).toBe("one");
  });
});
