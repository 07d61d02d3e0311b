import * as z from "zod/mini";
import { Segment } from "../api.js";
import { HttpError } from "../refusals.js";
import { segmentSize } from "./segment.js";

/**
 * One segment, or many small ones together, because a tree of processes has hundreds of images of a few hundred bytes:
 * u32 little-endian length of a JSON list of segments, the list, then their bytes in that order. What follows an empty
 * list is a rehearsal: bytes that mean nothing.
 */
export interface Bundled {
  segment: Segment;
  bytes: Buffer;
}

/** Bytes: a whole segment and its list of one; small ones have a longer list and together less. */
export const longestBundle = segmentSize + 1024;

const Listed = z.array(Segment).check(z.maxLength(1024));

/** What goes before the bytes. */
export function bundleHead(segments: readonly Segment[]): Buffer {
  const list = Buffer.from(JSON.stringify(segments));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(list.length);
  return Buffer.concat([length, list]);
}

/** The parts of a body, views of it. Throws an HttpError where it is no bundle, or has a byte too many or too few. */
export function readBundle(body: Buffer): Bundled[] {
  const end = 4 + (body.length >= 4 ? body.readUInt32LE(0) : Infinity);
  if (end > body.length) throw noBundle("it ends within the list");
  const segments = listOf(body.subarray(4, end));
  if (segments.length === 0) return [];
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  if (end + total !== body.length)
    throw noBundle(`${body.length - end} bytes follow where ${total} are listed`);
  let at = end;
  return segments.map((segment) => ({ segment, bytes: body.subarray(at, (at += segment.length)) }));
}

function listOf(text: Buffer): Segment[] {
  try {
    return Listed.parse(JSON.parse(text.toString()));
  } catch (cause) {
    throw noBundle(`the list is none: ${String(cause)}`);
  }
}

function noBundle(why: string): HttpError {
  return new HttpError(400, "BUNDLE", `the body is no bundle of segments: ${why}`);
}
