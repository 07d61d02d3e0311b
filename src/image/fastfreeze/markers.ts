/**
 * The files in a set of shards, as criu-image-streamer spreads them: each shard is a row of markers, some with data after them, and
 * the markers of all shards have one row of numbers. https://github.com/checkpoint-restore/criu-image-streamer, proto/image.proto
 */
import { fields } from "../../protobuf.js";

export type Piece =
  | { kind: "file"; name: string }
  /** Of the file that was named last. */
  | { kind: "data"; bytes: Buffer }
  | { kind: "end of file" };

export class NotMarkers extends Error {}

/** Bytes; what the streamer itself refuses to read. */
const longestMarker = 10 * 1024;

type Marker = { seq: number } & (
  | { kind: "file"; name: string }
  | { kind: "data"; size: number }
  | { kind: "end of file" }
  | { kind: "end of image" }
);

/** Throws NotMarkers: also where the image's end is not there. */
export async function* piecesOf(shards: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Piece> {
  const readers = shards.map((shard) => new ShardReader(shard));
  try {
    yield* inOrder(readers);
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

async function* inOrder(readers: readonly ShardReader[]): AsyncGenerator<Piece> {
  const next = await Promise.all(readers.map((reader) => reader.marker()));
  let inFile = false;
  for (let seq = 0; ; seq += 1) {
    const at = next.findIndex((marker) => marker?.seq === seq);
    const [marker, reader] = [next[at], readers[at]];
    if (marker === undefined || reader === undefined)
      throw new NotMarkers(`the image ends after ${seq} markers`);
    if (marker.kind === "end of image") return;
    if (marker.kind !== "file" && !inFile) throw new NotMarkers("this is of no file");
    inFile = marker.kind !== "end of file";
    if (marker.kind === "data") yield* dataOf(reader, marker.size);
    else yield marker;
    next[at] = await reader.marker();
  }
}

async function* dataOf(reader: ShardReader, size: number): AsyncGenerator<Piece> {
  for (let left = size; left > 0;) {
    const bytes = await reader.upTo(left);
    if (bytes === undefined) throw new NotMarkers("a shard ends in the middle of a file");
    left -= bytes.length;
    yield { kind: "data", bytes };
  }
}

class ShardReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Whoever is behind it stops. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Undefined: the shard ends here. */
  async marker(): Promise<Marker | undefined> {
    const length = await this.#exactly(4);
    if (length === undefined) return undefined;
    const size = length.readUInt32LE();
    const bytes = size > longestMarker ? undefined : await this.#exactly(size);
    const marker = bytes === undefined ? undefined : parseMarker(bytes);
    if (marker === undefined) throw new NotMarkers("this is no marker");
    return marker;
  }

  /** Some bytes, at most so many; undefined: there are no more. */
  async upTo(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) if (!(await this.#more())) return undefined;
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  async #exactly(count: number): Promise<Buffer | undefined> {
    while (this.#rest.length < count) {
      if (await this.#more()) continue;
      if (this.#rest.length > 0) throw new NotMarkers("a shard ends in the middle of a marker");
      return undefined;
    }
    const bytes = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return bytes;
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.#rest = this.#rest.length === 0 ? Buffer.from(value) : Buffer.concat([this.#rest, value]);
    return true;
  }
}

function parseMarker(bytes: Buffer): Marker | undefined {
  const found = fields(bytes);
  if (found === undefined) return undefined;
  const numberOf = (number: number): number | Buffer | undefined =>
    found.findLast((field) => field.number === number)?.value;
  const seq = numberOf(1) ?? 0;
  if (typeof seq !== "number") return undefined;
  const [name, size] = [numberOf(2), numberOf(3)];
  if (Buffer.isBuffer(name)) return { seq, kind: "file", name: name.toString() };
  if (typeof size === "number") return { seq, kind: "data", size };
  if (numberOf(4) === 1) return { seq, kind: "end of file" };
  return numberOf(5) === 1 ? { seq, kind: "end of image" } : undefined;
}
