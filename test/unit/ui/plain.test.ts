import { expect, test } from "@jest/globals";
import { Meter, type ProgressEvent } from "../../../src/migration/progress.js";
import { displayKind } from "../../../src/ui/display.js";
import { moved } from "../../../src/ui/moved.js";
import { plainProgress } from "../../../src/ui/plain.js";

function lines(events: { at: number; event: Record<string, unknown> & { kind: string } }[]): string[] {
  const written: string[] = [];
  let at = 0;
  const progress = plainProgress(
    (line) => written.push(line),
    () => new Date(at),
  );
  for (const one of events) {
    at = one.at;
    progress({ migration: "counter", ...one.event } as ProgressEvent);
  }
  return written.map((line) => line.slice("1970-01-01T00:00:".length));
}

test("one line a step, progress every five seconds", () => {
  const move = (bytes: number): Record<string, unknown> & { kind: string } => ({
    kind: "moved",
    step: "copy",
    bytes,
    total: 300e6,
    rate: 100e6,
  });
  expect(
    lines([
      { at: 0, event: { kind: "planned", title: "counter: a → b", steps: [] } },
      { at: 1, event: { kind: "started", step: "copy" } },
      { at: 2, event: move(0) },
      { at: 3, event: move(100e6) },
      { at: 5002, event: move(200e6) },
      { at: 6000, event: { kind: "ended", step: "copy", ms: 5999 } },
      { at: 6001, event: { kind: "failed", step: "standby", message: "no" } },
      { at: 6002, event: { kind: "undone", step: "standby", found: "gone" } },
      { at: 6003, event: { kind: "closed", ok: false, text: "counter serves on a" } },
    ]),
  ).toEqual([
    "00.002Z counter: copy: 0B of 300MB, 100MB/s, 3s left",
    "05.002Z counter: copy: 200MB of 300MB, 100MB/s, 1s left",
    "06.000Z counter: copy: done in 5.999s",
    "06.001Z counter: standby: failed: no",
    "06.002Z counter: standby: undone: gone",
    "06.003Z counter: counter serves on a",
  ]);
});

test.each([
  [{ bytes: 10e6, total: null, rate: 0 }, "10MB"],
  [{ bytes: 300e6, total: 300e6, rate: 5e6 }, "300MB of 300MB, 5MB/s"],
])("%j", (amount, text) => {
  expect(moved(amount)).toBe(text);
});

test.each([
  [true, true, {}, "silent"],
  [false, false, {}, "plain"],
  [false, true, { CI: "true" }, "plain"],
  [false, true, { TERM: "dumb" }, "plain"],
  [false, true, { TERM: "xterm", CI: "false" }, "drawn"],
])("json %s, terminal %s, %j: %s", (json, isTTY, env, kind) => {
  expect(displayKind(json, isTTY, env)).toBe(kind);
});

test("a meter's rate is that of the last two seconds", () => {
  const rates: number[] = [];
  let now = 0;
  const meter = new Meter(
    (_bytes, _total, rate) => rates.push(rate),
    () => now,
  );
  for (const [at, bytes] of [
    [0, 0],
    [1000, 100],
    [2000, 200],
    [3000, 600],
    [4000, 1000],
  ] as const) {
    now = at;
    meter.update(bytes, 1000);
  }
  expect(rates).toEqual([0, 100, 100, 250, 400]);
});
