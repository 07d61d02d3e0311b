/** As much of protobuf's encoding as reading CRIU's small messages needs. Pure. */

export interface Field {
  number: number;
  /** Infinity where it is a number that JavaScript does not count exactly. */
  value: number | Buffer;
}

const varint = 0;
const bytesKind = 2;
/** Bytes of a value of fixed length, by its kind. */
const fixed: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** The fields of one message, without those of fixed length; undefined where it is no message. */
export function fields(bytes: Buffer): Field[] | undefined {
  const found: Field[] = [];
  const from = new Varints(bytes);
  while (from.at < bytes.length) {
    const key = from.next();
    const [number, kind] = [Math.floor(key / 8), key % 8];
    const start = from.at;
    const length = fixed[kind];
    const value = length === undefined ? from.next() : 0;
    const begin = from.at;
    if (length !== undefined) from.at = start + length;
    else if (kind === bytesKind) from.at += value;
    else if (kind !== varint) return undefined;
    if (Number.isNaN(value) || !(from.at <= bytes.length)) return undefined;
    if (length === undefined)
      found.push({ number, value: kind === varint ? value : bytes.subarray(begin, from.at) });
  }
  return found;
}

/** Reads varints one after the other. */
class Varints {
  readonly #bytes: Uint8Array;
  /** Where the next one begins. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** NaN where it ends too early; Infinity where JavaScript does not count so far exactly. */
  next(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at++] ?? NaN;
    if (first < 0x80) return first;
    let value = first - 0x80;
    for (let factor = 0x80; factor < 2 ** 70; factor *= 0x80) {
      const byte = bytes[this.at++] ?? NaN;
      if (byte < 0x80) {
        value += byte * factor;
        return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
      }
      value += (byte - 0x80) * factor;
    }
    return NaN;
  }
}
