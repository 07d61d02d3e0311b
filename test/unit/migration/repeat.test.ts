import { expect, test } from "@jest/globals";
import { repeat } from "../../../src/migration/image/repeat.js";

const stop = new Error("stop");

test("what fails later is told, and it goes on until it is interrupted", async () => {
  const given = new AbortController();
  const told: unknown[] = [];
  let times = 0;
  const work = (): Promise<void> => {
    times += 1;
    if (times === 4) given.abort(stop);
    return times === 2 ? Promise.reject(new Error("once")) : Promise.resolve();
  };
  await expect(repeat(1, work, (thrown) => told.push(thrown), given.signal)).rejects.toBe(stop);
  expect({ times, told }).toEqual({ times: 4, told: [new Error("once")] });
});

test("where the first time fails nobody waits for another", async () => {
  const { signal } = new AbortController();
  const work = (): Promise<void> => Promise.reject(new Error("no such plan"));
  await expect(repeat(1, work, () => undefined, signal)).rejects.toThrow("no such plan");
});

test("an interruption in the middle is no failure", async () => {
  const given = new AbortController();
  const work = (): Promise<void> => {
    given.abort(stop);
    return Promise.reject(new Error("the connection was closed"));
  };
  await expect(repeat(1, work, () => undefined, given.signal)).rejects.toBe(stop);
});

test("from one beginning to the next: what takes long is not waited for twice", async () => {
  const given = new AbortController();
  const begun: number[] = [];
  const work = async (): Promise<void> => {
    begun.push(performance.now());
    if (begun.length === 3) given.abort(stop);
    await new Promise((resolve) => setTimeout(resolve, 60));
  };
  await expect(repeat(100, work, () => undefined, given.signal)).rejects.toBe(stop);
  const [one = 0, two = 0, three = 0] = begun;
  for (const gap of [two - one, three - two]) expect(Math.abs(gap - 100)).toBeLessThan(40);
});
