import { createCipheriv } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { digestOf } from "../../../../src/daemon/transfer/digest.js";

test("is GMAC as everybody computes it: the tag of an empty message with the bytes beside it", () => {
  const bytes = Buffer.from("fastmig");
  const mac = createCipheriv("aes-128-gcm", Buffer.alloc(16), Buffer.alloc(12)).setAAD(bytes);
  mac.final();
  expect(digestOf(bytes)).toBe(mac.getAuthTag().toString("hex"));
  expect(digestOf(bytes)).toMatch(/^[0-9a-f]{32}$/);
});

test("tells any two contents apart: a flipped bit, a swapped pair, a zero more", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      (content, at, bit) => {
        const bytes = Buffer.from(content);
        const damaged = Buffer.from(bytes);
        const place = at % bytes.length;
        damaged[place] = (damaged[place] ?? 0) ^ (1 << bit);
        expect(digestOf(damaged)).not.toBe(digestOf(bytes));
        expect(digestOf(Buffer.concat([bytes, Buffer.alloc(1)]))).not.toBe(digestOf(bytes));
      },
    ),
    { numRuns: 500 },
  );
});
