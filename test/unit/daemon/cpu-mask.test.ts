import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { cpuMask } from "../../../src/daemon/cpu-mask.js";
import { instructionsOf, instructionsOfLevel, readFeatures } from "../../../src/instructions.js";

test("nothing is hidden, and nothing said, where all is allowed", () => {
  expect(cpuMask(["pni", "avx"], ["fpu", "pni", "avx", "erms"], {})).toEqual({});
});

test("what the processor has and the service may not use is off in the C library and in OpenSSL", () => {
  expect(cpuMask(["pni"], ["pni", "avx", "avx2", "aes", "rdpid"], {})).toEqual({
    GLIBC_TUNABLES: "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load",
    // AVX is bit 60 and AES bit 57 of the first vector, AVX2 bit 5 of the second (OPENSSL_ia32cap(3)).
    OPENSSL_ia32cap: "~0x1200000000000000:~0x20:~0x0",
  });
});

test("other tunables stay", () => {
  const env = { GLIBC_TUNABLES: "glibc.malloc.check=1" };
  expect(cpuMask([], ["movbe"], env)).toMatchObject({
    GLIBC_TUNABLES: "glibc.malloc.check=1:glibc.cpu.hwcaps=-MOVBE",
  });
});

test("this machine's C library hears of it: it searches no libraries for the third level any more", () => {
  const features = readFeatures(readFileSync("/proc/cpuinfo", "utf8"));
  const searched = (env: Record<string, string>): string =>
    execFileSync("/lib64/ld-linux-x86-64.so.2", ["--help"], { env, encoding: "utf8" });
  const level = instructionsOfLevel("x86-64-v3");
  const has = level.every((instruction) => instructionsOf(features).includes(instruction));
  expect(searched({}).includes("x86-64-v3 (supported, searched)")).toBe(has);
  const allowed = instructionsOfLevel("x86-64-v2");
  expect(searched(cpuMask(allowed, features, {}))).not.toContain("x86-64-v3 (supported");
});
