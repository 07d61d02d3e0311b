import { expect, test } from "@jest/globals";
import { PieceQueue, type Piece } from "../../../../src/daemon/transfer/piece-queue.js";

const piece = (file: string, length = 1): Piece => ({ file, offset: 0, length });
const never = new AbortController().signal;

test("pieces come in order, to those who waited and to those who come", async () => {
  const queue = new PieceQueue();
  const waiting = [queue.next(never), queue.next(never)];
  queue.push(piece("a"));
  queue.push(piece("b"));
  queue.push(piece("c"));
  expect(await Promise.all(waiting)).toEqual([piece("a"), piece("b")]);
  expect(await queue.next(never)).toEqual(piece("c"));
});

test("after the end there is nothing to wait for, but what comes back is still served", async () => {
  const queue = new PieceQueue();
  const waiting = queue.next(never);
  queue.end();
  expect(await waiting).toBeUndefined();
  queue.push(piece("a"));
  expect(await queue.next(never)).toEqual(piece("a"));
  expect(await queue.next(never)).toBeUndefined();
});

test("who waits can be stopped", async () => {
  const queue = new PieceQueue();
  const stop = new AbortController();
  const waiting = queue.next(stop.signal);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(queue.next(stop.signal)).rejects.toThrow("enough");
});

test("some are taken out of the line, the others keep their order", async () => {
  const queue = new PieceQueue();
  for (const [file, length] of [
    ["a", 1],
    ["b", 9],
    ["c", 2],
    ["d", 8],
  ] as const)
    queue.push(piece(file, length));
  expect(queue.take(({ length }) => length < 5).map(({ file }) => file)).toEqual(["a", "c"]);
  expect([await queue.next(never), await queue.next(never)]).toEqual([piece("b", 9), piece("d", 8)]);
});
