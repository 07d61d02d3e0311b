import { expect, test } from "@jest/globals";
import { allowedInstructions } from "../../../src/migration/baseline.js";

const processor = (...features: string[]): { model: string; features: string[] } => ({
  model: "Processor",
  features,
});
const big = processor("erms", "pni", "ssse3", "avx", "avx2", "aes");

test("auto: what the node has and all others too", () => {
  const others = [processor("pni", "ssse3", "aes", "avx512f"), processor("pni", "avx", "aes")];
  expect(allowedInstructions("auto", big, others)).toEqual(["pni", "aes"]);
  expect(allowedInstructions("auto", big, [])).toEqual(["pni", "ssse3", "avx", "avx2", "aes"]);
});

test("a level: what it holds and the node has, whatever the others have", () => {
  expect(allowedInstructions("x86-64-v2", big, [processor()])).toEqual(["pni", "ssse3"]);
  expect(allowedInstructions("x86-64-v3", big, [])).toEqual(["pni", "ssse3", "avx", "avx2"]);
});
