import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { makePipe, openPipe, partsOf } from "../../src/pipe.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "fastmig-pipe-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const never = new AbortController().signal;

async function opened(): Promise<{ path: string; fd: number }> {
  const path = join(directory, "pipe");
  await makePipe(path, "0600");
  return { path, fd: openPipe(path) };
}

function bytes(count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, at) => (at * 31 + (at >> 8)) & 0xff));
}

test.each([
  [0, [0]],
  [1, [1]],
  [99_999, [99_999]],
  [100_000, [100_000]],
  [350_001, [100_000, 100_000, 100_000, 50_001]],
])("%d bytes come in parts of 100,000, in order", async (count, sizes) => {
  const { path, fd } = await opened();
  const written = pipeline(Readable.from(count === 0 ? [] : [bytes(count)]), createWriteStream(path));
  const parts: Buffer[] = [];
  for await (const part of partsOf(fd, 100_000, never)) parts.push(Buffer.from(part));
  await written;
  expect(parts.map(({ length }) => length)).toEqual(sizes);
  expect(Buffer.concat(parts).equals(bytes(count))).toBe(true);
});

test("nothing is read ahead of whoever is slow with a part", async () => {
  const { path, fd } = await opened();
  const written = pipeline(Readable.from([bytes(1_000_000)]), createWriteStream(path));
  let finished = false;
  void written.then(() => (finished = true));
  const parts = partsOf(fd, 100_000, never);
  expect((await parts.next()).value).toHaveLength(100_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(finished).toBe(false);
  for await (const part of parts) expect(part.length).toBeLessThanOrEqual(100_000);
  await written;
});

test("who waits for a writer that never comes can be told to stop", async () => {
  const { fd } = await opened();
  const given = new AbortController();
  const first = partsOf(fd, 10, given.signal).next();
  given.abort();
  await expect(first).rejects.toThrow("aborted");
});
