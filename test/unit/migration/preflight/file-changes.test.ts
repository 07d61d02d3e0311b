import { expect, test } from "@jest/globals";
import type { FileChange } from "../../../../src/migration/facts.js";
import { isCovered, unnamedChanges } from "../../../../src/migration/preflight/file-changes.js";

const directory = (path: string, kind: FileChange["kind"] = "changed"): FileChange => ({
  path,
  kind,
  directory: true,
});
const file = (path: string, kind: FileChange["kind"] = "added"): FileChange => ({
  path,
  kind,
  directory: false,
});

test.each<[string, FileChange[], string[], string[], string[]]>([
  [
    "a written file, not the directories above it",
    [directory("/var"), directory("/var/lib"), file("/var/lib/x")],
    [],
    [],
    ["/var/lib/x"],
  ],
  [
    "a changed and a deleted file",
    [directory("/etc"), file("/etc/passwd", "changed"), file("/etc/motd", "deleted")],
    [],
    [],
    ["/etc/passwd", "/etc/motd"],
  ],
  ["a new empty directory", [directory("/srv"), directory("/srv/new", "added")], [], [], ["/srv/new"]],
  ["a directory in which something came and went", [directory("/tmp")], [], [], []],
  [
    "what the engine writes",
    [
      directory("/etc"),
      file("/etc/hosts"),
      directory("/run"),
      file("/run/.containerenv"),
      directory("/run/fastmig", "added"),
      file("/dev/x"),
    ],
    [],
    [],
    [],
  ],
  ["a mount point that the engine made", [directory("/data", "added")], ["/data"], [], []],
  [
    "a directory that leads to a mount",
    [directory("/srv", "added"), directory("/srv/deep", "added")],
    ["/srv/deep/data"],
    [],
    [],
  ],
  [
    "what the plan names, and what lies under it",
    [directory("/data"), file("/data/a"), file("/data2/b")],
    [],
    ["/data"],
    ["/data2/b"],
  ],
])("%s", (_title, changes, mounts, named, paths) => {
  expect(unnamedChanges(changes, mounts, named).map(({ path }) => path)).toEqual(paths);
});

test.each([
  ["/data", ["/data"], true],
  ["/data/x", ["/data"], true],
  ["/database", ["/data"], false],
  ["/x", ["/"], true],
])("%s under %j: %s", (path, roots, covered) => {
  expect(isCovered(path, roots)).toBe(covered);
});
