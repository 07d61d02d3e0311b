import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Segment } from "../../../../src/daemon/api.js";
import { bundleHead, readBundle } from "../../../../src/daemon/transfer/bundle.js";

const segment = (file: string, length: number): Segment => ({
  file,
  offset: 0,
  length,
  digest: "a".repeat(32),
});
const bundle = (parts: Segment[], bytes: Buffer): Buffer => Buffer.concat([bundleHead(parts), bytes]);

test("what was put together comes apart the same", () => {
  const sizes = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, fc.uint8Array({ minLength: 1000, maxLength: 1000 }), (lengths, filling) => {
      const parts = lengths.map((length, at) => segment(`final/core-${at}.img`, length));
      const bytes = Buffer.from(filling).subarray(
        0,
        lengths.reduce((sum, length) => sum + length, 0),
      );
      const apart = readBundle(bundle(parts, bytes));
      expect(apart.map((part) => part.segment)).toEqual(parts);
      expect(Buffer.concat(apart.map((part) => part.bytes)).equals(bytes)).toBe(true);
    }),
  );
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["less than a length", Buffer.from([1, 0])],
  ["a list that ends too early", bundle([segment("a", 1)], Buffer.alloc(0)).subarray(0, 20)],
  ["a byte too few", bundle([segment("a", 2)], Buffer.alloc(1))],
  ["a byte too many", bundle([segment("a", 2)], Buffer.alloc(3))],
  ["a path trick", bundle([segment("../a", 1)], Buffer.alloc(1))],
  ["a negative length", bundle([segment("a", -1), segment("b", 2)], Buffer.alloc(1))],
])("%s is no bundle", (_, body) => {
  expect(() => readBundle(body)).toThrow(expect.objectContaining({ status: 400, code: "BUNDLE" }));
});

test("without a segment there is nothing to keep, whatever follows", () => {
  expect(readBundle(bundle([], Buffer.alloc(100, 7)))).toEqual([]);
});

test("any bytes: a bundle, or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 120 }), (bytes, length) => {
      const body = Buffer.from(bytes);
      if (body.length >= 4) body.writeUInt32LE(length);
      expect(() => readBundle(body)).toThrow(expect.objectContaining({ code: "BUNDLE" }));
    }),
    { numRuns: 500 },
  );
});
