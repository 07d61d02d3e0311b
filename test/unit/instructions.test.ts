import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { instructionsOf, instructionsOfLevel, readFeatures, readProcessor } from "../../src/instructions.js";

test("what only kernels use, and hints, are no instructions", () => {
  expect(instructionsOf(["fpu", "arat", "erms", "avx2", "hypervisor", "aes", "pti"])).toEqual([
    "avx2",
    "aes",
  ]);
});

test("a level has those before it", () => {
  expect(instructionsOfLevel("x86-64-v2")).not.toContain("avx");
  expect(instructionsOfLevel("x86-64-v3")).toEqual(expect.arrayContaining(["ssse3", "avx2", "xsave"]));
  expect(instructionsOfLevel("x86-64-v4")).toEqual(expect.arrayContaining(["popcnt", "bmi2", "avx512vl"]));
});

test("every instruction of a level is one", () => {
  expect(instructionsOf(instructionsOfLevel("x86-64-v4"))).toEqual(instructionsOfLevel("x86-64-v4"));
});

test("the kernel's line is read: each processor that runs this has SSE3", () => {
  expect(instructionsOf(readFeatures(readFileSync("/proc/cpuinfo", "utf8")))).toContain("pni");
  expect(readFeatures("processor: 0\n")).toEqual([]);
});

test("a processor's model and features; none where the kernel shows none", () => {
  const cpuinfo = "1.0 2.0\nmodel name\t: Processor 7 (big)\nflags\t\t: fpu  avx avx2\n";
  expect(readProcessor(cpuinfo)).toEqual({ model: "Processor 7 (big)", features: ["fpu", "avx", "avx2"] });
  expect(readProcessor("1.0 2.0\n")).toEqual({ model: "", features: [] });
});
