import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { binary, makeNative } from "./init-bench.js";

const program = join(import.meta.dirname, "shm.py");
let directory: string;

beforeAll(makeNative, 120_000);
beforeEach(() => {
  directory = mkdtempSync("/dev/shm/fastmig-test-");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const said = (env: Record<string, string>): string =>
  execFileSync("python3", [program], { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "", ...env } });

test("shared memory of System V in files is as the kernel's, but that a removed one cannot be attached to", () => {
  const preloaded = { LD_PRELOAD: binary("libfastmig-shm.so"), FASTMIG_SHM: directory };
  const [ours, kernels] = [said(preloaded).split("\n"), said({}).split("\n")];
  expect(ours.slice(0, -2)).toEqual(kernels.slice(0, -2));
  expect(ours).toHaveLength(10);
  expect(ours.at(-2)).toBe("removed: 0 EINVAL EINVAL ENOENT");
  expect(readdirSync(directory)).toEqual([]);
});

test("what there is no room for is refused when it is asked for", () => {
  const huge =
    "import ctypes; libc = ctypes.CDLL(None, use_errno=True); print(libc.shmget(0, ctypes.c_size_t(1 << 50), 0o1600), ctypes.get_errno())";
  const env = { PATH: process.env["PATH"], LD_PRELOAD: binary("libfastmig-shm.so"), FASTMIG_SHM: directory };
  const { stdout } = spawnSync("python3", ["-c", huge], { encoding: "utf8", env });
  expect(stdout.trim()).toMatch(/^-1 (12|27|28)$/);
  expect(readdirSync(directory)).toEqual([]);
});
