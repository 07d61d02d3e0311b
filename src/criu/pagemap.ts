/** CRIU's lists of pages, `pagemap-*.img` (images/pagemap.proto in its source). Pure. */
import { encode, Varints } from "./protobuf.js";

const magic = [0x54564319, 0x56084025] as const;
const headSize = 8;
const sizeSize = 4;
const pageSize = 4096;

/**
 * An entry's fields by their numbers, `absent` where it has none. `narrow` is what CRIU counted pages with before `wide`
 * came; it is still there, as 0.
 */
type Run = number[];
const [address, narrow, inParent, flags, wide] = [1, 2, 3, 4, 5] as const;
const absent = -1;
const most = { [narrow]: 2 ** 32 - 1, [wide]: Number.MAX_SAFE_INTEGER };

/**
 * The same list with those runs of pages joined that follow each other both in it and in memory: in the pages image they do
 * then too. CRIU that is unprivileged takes a tree's pages through pipes of two pages each, once the kernel's share for its
 * user is used up, and lists each as a run: 40,000 for 300 MB, every one of them read by itself in the restore.
 *
 * Answers the image itself where nothing is to be joined, or where it is not of the form that is known here.
 */
export function joinRuns(image: Buffer): Buffer {
  if (image.length < headSize || !magic.every((word, at) => image.readUInt32LE(4 * at) === word))
    return image;
  const first = endOf(image, headSize);
  const runs: Run[] = [];
  let listed = 0;
  for (let at = first; at < image.length; listed += 1) {
    const end = endOf(image, at);
    const run = end > image.length ? undefined : readRun(image, at + sizeSize, end);
    if (run === undefined) return image;
    const last = runs.at(-1);
    if (last === undefined || !joined(last, run)) runs.push(run);
    at = end;
  }
  return first > image.length || runs.length === listed
    ? image
    : Buffer.concat([image.subarray(0, first), ...runs.map(messageOf)]);
}

/** Of the message at `at`: its size (u32, little-endian), then a protobuf. Beyond the image where it is cut short. */
function endOf(image: Buffer, at: number): number {
  return at + sizeSize + (at + sizeSize <= image.length ? image.readUInt32LE(at) : Infinity);
}

/** Undefined for anything else than varints of known fields, each once. */
function readRun(image: Buffer, start: number, end: number): Run | undefined {
  const run: Run = [NaN, absent, absent, absent, absent, absent];
  const from = new Varints(image, start);
  while (from.at < end) {
    const number = from.next() / 8;
    const value = from.next();
    if (run[number] !== absent || Number.isNaN(value)) return undefined;
    run[number] = value;
  }
  const isWhole = from.at === end && run[address] !== absent && run[narrow] !== absent && pagesOf(run) > 0;
  return isWhole ? run : undefined;
}

function messageOf(run: Run): Buffer {
  const body = encode(run.map((value, number) => ({ number, value })).filter(({ value }) => value >= 0));
  const size = Buffer.alloc(sizeSize);
  size.writeUInt32LE(body.length);
  return Buffer.concat([size, body]);
}

function counterOf(run: Run): typeof narrow | typeof wide {
  return run[wide] === absent ? narrow : wide;
}

function pagesOf(run: Run): number {
  return run[counterOf(run)] ?? NaN;
}

/** Whether `next` goes on where `last` ends: `last` then has the pages of both. */
function joined(last: Run, next: Run): boolean {
  const counter = counterOf(last);
  const pages = pagesOf(last) + pagesOf(next);
  const goesOn =
    (last[address] ?? NaN) + pagesOf(last) * pageSize === next[address] &&
    last[flags] === next[flags] &&
    last[inParent] === next[inParent] &&
    counter === counterOf(next) &&
    pages <= most[counter];
  if (goesOn) last[counter] = pages;
  return goesOn;
}
