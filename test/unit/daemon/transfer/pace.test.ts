import { expect, test } from "@jest/globals";
import { Pace } from "../../../../src/daemon/transfer/pace.js";

const signal = new AbortController().signal;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

test("without a rate nobody waits", async () => {
  const pace = new Pace(null);
  expect(await timed(() => Promise.all([pace.take(1e9, signal), pace.take(1e9, signal)]))).toBeLessThan(50);
});

test("what was sent is paid off at the rate, however many send", async () => {
  const pace = new Pace(1e6);
  const sent = await timed(() => Promise.all(Array.from({ length: 5 }, () => pace.take(50_000, signal))));
  // The first goes at once, each of the others after 50 ms of the one before.
  expect(sent).toBeGreaterThan(180);
  expect(sent).toBeLessThan(500);
});

test("a rate that is changed is heeded by whoever waits", async () => {
  const pace = new Pace(1000);
  await pace.take(1e6, signal);
  const waiting = timed(() => pace.take(1, signal));
  pace.set(null);
  expect(await waiting).toBeLessThan(1000);
});

test("time in which nothing was sent is no credit", async () => {
  const pace = new Pace(1e6);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await pace.take(100_000, signal);
  expect(await timed(() => pace.take(1, signal))).toBeGreaterThan(80);
});

test("who waits says so again and again, and is let go by the signal", async () => {
  const pace = new Pace(1);
  await pace.take(1e6, signal);
  const stop = new AbortController();
  let said = 0;
  const waiting = pace.take(1, stop.signal, () => (said += 1));
  setTimeout(() => stop.abort(new Error("enough")), 350);
  await expect(waiting).rejects.toThrow("enough");
  expect(said).toBeGreaterThanOrEqual(2);
  pace.set(null);
  await pace.take(1, signal);
});
