/**
 * Gives a buffer's memory back at once; nobody may use it any more. V8 sees only the small head of a buffer and lets
 * 100 MB of them gather before it collects: then each one is fresh memory, and copying into that costs twice as much.
 * A part of a greater buffer is left alone.
 */
export function release(buffer: Buffer<ArrayBuffer>): void {
  if (buffer.length === buffer.buffer.byteLength) buffer.buffer.transfer(0);
}
