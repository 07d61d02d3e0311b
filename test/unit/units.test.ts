import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  exactRate,
  exactSize,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from "../../src/units.js";

describe("sizes", () => {
  test.each([
    ["0B", 0],
    ["300MB", 300_000_000],
    ["300MiB", 314_572_800],
    ["1.5GB", 1_500_000_000],
    ["4kB", 4000],
    ["4KB", 4000],
    ["4KiB", 4096],
    ["2TiB", 2 * 2 ** 40],
    [" 7 GiB ", 7 * 2 ** 30],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each([
    "",
    "300",
    "MB",
    "300 M",
    "300mb",
    "-1MB",
    "1e3MB",
    "1.MB",
    ".5MB",
    "300Mbit",
    "99999999TB",
    "1MB2kB",
  ])("%j is refused, and what is accepted is said", (text) => {
    expect(() => parseSize(text)).toThrow(`"${text}" is not a size with its unit: 300MB`);
  });

  test.each([
    [0, "0B"],
    [999, "999B"],
    [999.6, "1kB"],
    [1000, "1kB"],
    [317_234_567, "317MB"],
    [999_999, "1MB"],
    [1_073_741_824, "1.07GB"],
    [4_000_000_000_000_000, "4000TB"],
  ])("%d is written %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test("what is written reads back to within half a percent", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (bytes) => {
        expect(Math.abs(parseSize(formatSize(bytes)) - bytes)).toBeLessThanOrEqual(bytes * 0.005 + 1);
      }),
    );
  });

  test("what is written exactly reads back as the same number", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(),
          fc.integer({ min: 0, max: 2 ** 20 }).map((n) => n * 2 ** 30),
        ),
        (bytes) => {
          expect(parseSize(exactSize(bytes))).toBe(bytes);
          expect(parseRate(exactRate(bytes))).toBe(bytes);
        },
      ),
    );
  });

  test.each([
    [512 * 2 ** 20, "512MiB"],
    [1500, "1500B"],
    [3_000_000, "3MB"],
  ])("%d is exactly %s", (bytes, text) => {
    expect(exactSize(bytes)).toBe(text);
  });
});

describe("rates", () => {
  test.each([
    ["100MB/s", 100_000_000],
    ["100 MiB / s", 104_857_600],
    ["100Mbit/s", 12_500_000],
    ["1Gbit/s", 125_000_000],
    ["64kbit/s", 8000],
    ["8bit/s", 1],
  ])("%s is %d bytes per second", (text, rate) => {
    expect(parseRate(text)).toBe(rate);
  });

  test.each(["", "100MB", "100/s", "100MB/m", "MB/s", "/s", "100mbit/s"])("%j is refused", (text) => {
    expect(() => parseRate(text)).toThrow(
      `"${text}" is not a rate with its unit: 100MB/s, 100MiB/s or 100Mbit/s`,
    );
  });

  test("what is written reads back to within half a percent", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (rate) => {
        expect(Math.abs(parseRate(formatRate(rate)) - rate)).toBeLessThanOrEqual(rate * 0.005 + 1);
      }),
    );
  });
});

describe("durations", () => {
  test.each([
    ["0s", 0],
    ["300ms", 300],
    ["1.5s", 1500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1h2m3s4ms", 3_723_004],
    [" 10s ", 10_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "300", "s", "5 m", "1m1h", "1s1s", "-1s", "1d", "1H", "9999999999999h"])(
    "%j is refused",
    (text) => {
      expect(() => parseDuration(text)).toThrow(
        `"${text}" is not a duration with its unit: 300ms, 1.5s, 5m, 1h or 1h30m`,
      );
    },
  );

  test.each([
    [0, "0ms"],
    [0.4, "0ms"],
    [-0.4, "0ms"],
    [999.6, "1s"],
    [1500, "1.5s"],
    [91_234, "1m31.234s"],
    [86_399_999.6, "24h"],
    [-1500, "-1.5s"],
  ])("%d ms is written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("what is written reads back as the same number of milliseconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});

test("no text makes a reader throw anything but its refusal", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(parseSize, parseRate, parseDuration), (text, read) => {
      try {
        expect(Number.isSafeInteger(read(text))).toBe(true);
      } catch (thrown) {
        expect((thrown as Error).message).toContain(`"${text}" is not a `);
      }
    }),
  );
});
