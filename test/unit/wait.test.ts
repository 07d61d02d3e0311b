import { expect, test } from "@jest/globals";
import { orAfter, pause } from "../../src/wait.js";

test("what ends in time is not waited for longer", async () => {
  const begun = performance.now();
  await orAfter(60_000, () => pause(5));
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test("what takes longer is told that nobody waits any more", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let over: AbortSignal | undefined;
  await orAfter(5, (signal) => {
    over = signal;
    return promise;
  });
  expect(over?.aborted).toBe(true);
  resolve();
});

test("what fails in time fails", async () => {
  await expect(orAfter(60_000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
