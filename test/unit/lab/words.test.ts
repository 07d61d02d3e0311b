import { describe, expect, test } from "@jest/globals";
import { parseRateFlag } from "../../../src/lab/flags.js";
import { cacheDir, labPaths } from "../../../src/lab/paths.js";
import { bucket } from "../../../src/lab/shape.js";
import { statusLines } from "../../../src/lab/summary.js";

describe("paths", () => {
  test("XDG, where it is absolute; else below HOME; else below the passwd file's home", () => {
    expect(cacheDir({ XDG_CACHE_HOME: "/c", HOME: "/h" })).toBe("/c/fastmig/lab");
    expect(cacheDir({ XDG_CACHE_HOME: "c", HOME: "/h" })).toBe("/h/.cache/fastmig/lab");
    expect(cacheDir({})).toMatch(/^\/.+\/\.cache\/fastmig\/lab$/);
  });

  test("two labs of one name under two homes are two labs", () => {
    expect(labPaths("lab", { HOME: "/h" }).dir).toBe("/h/.local/state/fastmig/lab/lab");
    expect(labPaths("lab", { HOME: "/h" }).id).not.toBe(labPaths("lab", { HOME: "/i" }).id);
  });

  test.each(["", "A", "../x", "a b", "1", "a".repeat(21)])("%j is no name for a lab", (name) => {
    expect(() => labPaths(name, { HOME: "/h" })).toThrow(/is no name for a lab/);
  });
});

describe("the rate", () => {
  test("100MB/s is 800 Mbit/s with a bucket of 4 ms and a queue of 20 ms", () => {
    expect(bucket("eth0", 100e6).slice(-6)).toEqual([
      "rate",
      "800000000bit",
      "burst",
      "400000",
      "limit",
      "2400000",
    ]);
  });

  test("a slow link's bucket still holds two of the kernel's packets", () => {
    expect(bucket("eth0", 1e6).slice(-4)).toEqual(["burst", "131072", "limit", "262144"]);
  });

  test.each([
    ["100MB/s", 100e6],
    ["none", null],
    [undefined, undefined],
  ])("--rate %s", (text, rate) => {
    expect(parseRateFlag(text)).toBe(rate);
  });

  test("--rate without a unit is refused", () => {
    expect(() => parseRateFlag("100")).toThrow(/--rate: .*100MB\/s/);
  });
});

test("status in words", () => {
  expect(statusLines({ name: "lab", state: "down" })).toEqual(["lab lab is down"]);
  const nodes = [{ name: "a", address: "10.77.3.11", up: false }];
  expect(
    statusLines({ name: "lab", state: "partial", kind: "namespaces", sshConfig: "/s", rate: 1e8, nodes }),
  ).toEqual(["lab lab is partial; links 100MB/s", "  a 10.77.3.11 down"]);
});
