/** CRIU's lists of pages, `pagemap-*.img` (images/pagemap.proto in its source). Pure. */
import { encode, fields } from "./protobuf.js";

const magic = [0x54564319, 0x56084025] as const;
const headSize = 8;
const sizeSize = 4;
const pageSize = 4096;

/** Of an entry, by the fields' numbers. `narrow` is what CRIU counted pages with before `wide` came; it is still there, as 0. */
interface Run {
  address: number;
  narrow: number;
  inParent: number | undefined;
  flags: number | undefined;
  wide: number | undefined;
}

const names = [undefined, "address", "narrow", "inParent", "flags", "wide"] as const;
const most = { narrow: 2 ** 32 - 1, wide: Number.MAX_SAFE_INTEGER };

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
    const run = end > image.length ? undefined : readRun(image.subarray(at + sizeSize, end));
    if (run === undefined) return image;
    const last = runs.at(-1);
    if (last !== undefined && goesOn(last, run)) last[counterOf(last)] = pagesOf(last) + pagesOf(run);
    else runs.push(run);
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
function readRun(message: Buffer): Run | undefined {
  const run: Partial<Run> = {};
  for (const { number, value } of fields(message) ?? []) {
    const name = names[number];
    if (name === undefined || typeof value !== "number" || run[name] !== undefined) return undefined;
    run[name] = value;
  }
  const { address, narrow, inParent, flags, wide } = run;
  if (address === undefined || narrow === undefined || !((wide ?? narrow) > 0)) return undefined;
  return { address, narrow, inParent, flags, wide };
}

function messageOf(run: Run): Buffer {
  const body = encode(
    names.flatMap((name, number) => {
      const value = name && run[name];
      return value === undefined ? [] : [{ number, value }];
    }),
  );
  const size = Buffer.alloc(sizeSize);
  size.writeUInt32LE(body.length);
  return Buffer.concat([size, body]);
}

function counterOf({ wide }: Run): "narrow" | "wide" {
  return wide === undefined ? "narrow" : "wide";
}

function pagesOf({ narrow, wide }: Run): number {
  return wide ?? narrow;
}

function goesOn(last: Run, next: Run): boolean {
  const counter = counterOf(last);
  return (
    last.address + pagesOf(last) * pageSize === next.address &&
    last.flags === next.flags &&
    last.inParent === next.inParent &&
    counter === counterOf(next) &&
    pagesOf(last) + pagesOf(next) <= most[counter]
  );
}
