import { expect, test } from "@jest/globals";
import { Buffers } from "../../../../src/daemon/transfer/buffers.js";

const never = new AbortController().signal;

test("buffers are used again, and never by two at a time", async () => {
  const buffers = new Buffers(8, 2);
  const seen = new Set<Buffer>();
  const inUse = new Set<Buffer>();
  const use = (): Promise<void> =>
    buffers.use(never, async (buffer) => {
      expect(inUse.has(buffer)).toBe(false);
      inUse.add(buffer);
      seen.add(buffer);
      await Promise.resolve();
      inUse.delete(buffer);
    });
  await Promise.all(Array.from({ length: 20 }, use));
  expect(seen.size).toBe(2);
});

test("work that fails gives its buffer back", async () => {
  const buffers = new Buffers(8, 1);
  await expect(buffers.use(never, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  await expect(buffers.use(never, (buffer) => Promise.resolve(buffer.length))).resolves.toBe(8);
});

test("who no longer waits loses the place in the line, and nobody else does", async () => {
  const buffers = new Buffers(8, 1);
  const first = Promise.withResolvers<void>();
  const stop = new AbortController();
  const holding = buffers.use(never, () => first.promise);
  const leaving = buffers.use(stop.signal, () => Promise.resolve("left"));
  const staying = buffers.use(never, () => Promise.resolve("stayed"));
  stop.abort(new Error("enough"));
  await expect(leaving).rejects.toThrow("enough");
  first.resolve();
  await holding;
  await expect(staying).resolves.toBe("stayed");
});
