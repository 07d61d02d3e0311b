import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { readStats } from "../../../src/criu/stats.js";

const header = (payload: Buffer): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0x55105940, 0);
  head.writeUInt32LE(0x57093306, 4);
  head.writeUInt32LE(payload.length, 8);
  return Buffer.concat([head, payload]);
};
/** 1 { 812 190213 103944 81230 97000 0 77790 0 0 }, as the fields 1 to 9 of a dump. */
const dump = header(Buffer.from("0a1d08ac061085ce0b1888ac0620cefa0428e8f505300038dedf0440004800", "hex"));
/** 2 { 0 5 1200 181000 77790 }, as the fields 1 to 5 of a restore. */
const restore = header(Buffer.from("120f0800100518b0092088860b28dedf04", "hex"));

test("a dump's statistics", () => {
  expect(readStats(dump)).toEqual({
    freezing_time: 812,
    frozen_time: 190213,
    memdump_time: 103944,
    memwrite_time: 81230,
    pages_scanned: 97000,
    pages_skipped_parent: 0,
    pages_written: 77790,
    irmap_resolve: 0,
    pages_lazy: 0,
  });
});

test("a restore's statistics", () => {
  expect(readStats(restore)).toEqual({
    pages_compared: 0,
    pages_skipped_cow: 5,
    forking_time: 1200,
    restore_time: 181000,
    pages_restored: 77790,
  });
});

test("fields that a later CRIU adds are left out", () => {
  expect(readStats(header(Buffer.from("0a05082ac03e2a08", "hex")))).toBeUndefined();
  expect(readStats(header(Buffer.from("0a05082ac03e2a", "hex")))).toEqual({ freezing_time: 42 });
});

test("no such file, no such statistics", () => {
  expect(readStats(Buffer.alloc(0))).toBeUndefined();
  expect(readStats(Buffer.from("PNG, or anything else"))).toBeUndefined();
  expect(readStats(Buffer.concat([dump, Buffer.from([0])]))).toBeUndefined();
  expect(readStats(header(Buffer.alloc(0)))).toBeUndefined();
});

test("a damaged file gives whole numbers or nothing, and never throws", () => {
  const damaged = fc.tuple(
    fc.nat({ max: dump.length - 1 }),
    fc.nat({ max: 255 }),
    fc.nat({ max: dump.length }),
  );
  fc.assert(
    fc.property(damaged, ([at, byte, length]) => {
      const bytes = Buffer.from(dump);
      bytes[at] = byte;
      for (const cut of [bytes, bytes.subarray(0, length)]) {
        const values = Object.values(readStats(cut) ?? {});
        expect(values.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readStats(header(Buffer.from(bytes)))),
    { numRuns: 500 },
  );
});
