import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesIn, growingFiles, isOfRound } from "../../../../src/daemon/transfer/image-files.js";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fastmig-files-"));
  for (const directory of ["1", "2", "final"]) mkdirSync(join(root, directory));
  for (const file of [
    "1/pages-1.img",
    "2/pages-1.img",
    "2/inventory.img",
    "final/core-1.img",
    "preserve.tar",
  ])
    writeFileSync(join(root, file), file);
  symlinkSync("../1", join(root, "2", "parent"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const namesIn = (...directories: string[]): string[] =>
  filesIn(root, directories)
    .map(({ file }) => file)
    .sort();

test("a round has its own files, without CRIU's link to its parent", () => {
  expect(namesIn("2")).toEqual(["2/inventory.img", "2/pages-1.img"]);
  expect(growingFiles(root, "2").map(({ file }) => file)).toEqual(["2/pages-1.img"]);
});

test("the final dump has what lies beside the directories too, and no round's", () => {
  expect(namesIn("final", "")).toEqual(["final/core-1.img", "preserve.tar"]);
  expect(growingFiles(root, "")).toEqual([]);
  expect(growingFiles(root, "7")).toEqual([]);
});

test("a link of another name is refused", () => {
  symlinkSync("/etc/passwd", join(root, "1", "other.img"));
  expect(() => namesIn("1")).toThrow("is no file");
  writeFileSync(join(root, "final", "parent"), "no link");
  expect(namesIn("final")).toEqual(["final/core-1.img", "final/parent"]);
});

test.each([
  ["1/pages-1.img", true],
  ["12/parent", true],
  ["final/pages-1.img", false],
  ["preserve.tar", false],
  ["1.tar", false],
])("%s belongs to a round: %p", (file, is) => {
  expect(isOfRound(file)).toBe(is);
});
