import { expect, test } from "@jest/globals";
import { withLock } from "../../../src/lab/lock.js";
import { pause } from "../../../src/wait.js";

test("one holder at a time", async () => {
  const seen: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    seen.push(`${name} in`);
    await pause(20);
    seen.push(`${name} out`);
  };
  await Promise.all([withLock("lock.test", 5000, work("a")), withLock("lock.test", 5000, work("b"))]);
  expect(seen.map((line) => line.slice(2))).toEqual(["in", "out", "in", "out"]);
});

test("work that fails gives the lock back", async () => {
  await expect(withLock("lock.test.2", 1000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await withLock("lock.test.2", 1000, () => Promise.resolve(1))).toBe(1);
});

test("a lock that stays held is named", async () => {
  await withLock("lock.test.3", 1000, async () => {
    await expect(withLock("lock.test.3", 100, () => Promise.resolve(1))).rejects.toThrow(
      /the lock on lock\.test\.3/,
    );
  });
});
