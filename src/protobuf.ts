/** As much of protobuf's encoding as reading and changing CRIU's small messages needs. Pure. */

export interface Field {
  number: number;
  /** Infinity where it is a number that JavaScript does not count exactly. */
  value: number | Buffer;
}

const varint = 0;
const bytesKind = 2;
/** Bytes of a value of fixed length, by its kind. */
const fixed: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** One field where it stands. Null as its value: it is of fixed length. */
interface Place {
  number: number;
  value: number | Buffer | null;
  /** Of the whole field, and of what follows its number. */
  start: number;
  content: number;
  end: number;
}

/** The fields of one message, without those of fixed length; undefined where it is no message. */
export function fields(bytes: Buffer): Field[] | undefined {
  return places(bytes)?.flatMap(({ number, value }) => (value === null ? [] : [{ number, value }]));
}

/**
 * The same message with what `edit` answers in the place of some values; undefined from it: the field stays. Undefined where it
 * is no message.
 */
export function edited(
  bytes: Buffer,
  edit: (field: Field) => number | Buffer | undefined,
): Buffer | undefined {
  return places(bytes)?.reduce((whole, { number, value, start, content, end }) => {
    const other = value === null ? undefined : edit({ number, value });
    if (other === undefined) return Buffer.concat([whole, bytes.subarray(start, end)]);
    const written = Buffer.isBuffer(other) ? [encoded(other.length), other] : [encoded(other)];
    return Buffer.concat([whole, bytes.subarray(start, content), ...written]);
  }, Buffer.alloc(0));
}

function places(bytes: Buffer): Place[] | undefined {
  const found: Place[] = [];
  const from = new Varints(bytes);
  while (from.at < bytes.length) {
    const start = from.at;
    const key = from.next();
    const [number, kind] = [Math.floor(key / 8), key % 8];
    const content = from.at;
    const length = fixed[kind];
    const value = length === undefined ? from.next() : 0;
    const begin = from.at;
    if (length !== undefined) from.at = content + length;
    else if (kind === bytesKind) from.at += value;
    else if (kind !== varint) return undefined;
    const end = from.at;
    if (Number.isNaN(value) || !(end <= bytes.length)) return undefined;
    const held = kind === varint ? value : bytes.subarray(begin, end);
    found.push({ number, value: length === undefined ? held : null, start, content, end });
  }
  return found;
}

function encoded(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
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
