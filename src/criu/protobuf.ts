/** As much of protobuf's encoding as reading CRIU's small messages needs. Pure. */

export interface Field {
  number: number;
  value: number | Buffer;
}

/** The fields of one message; undefined where it is none, or has another kind than varint and bytes. */
export function fields(bytes: Buffer): Field[] | undefined {
  const found: Field[] = [];
  const from = new Varints(bytes);
  while (from.at < bytes.length) {
    const [key, value] = [from.next(), from.next()];
    const kind = key % 8;
    if (Number.isNaN(value) || (kind !== 0 && kind !== 2)) return undefined;
    const start = from.at;
    if (kind === 2) from.at += value;
    if (from.at > bytes.length) return undefined;
    found.push({ number: Math.floor(key / 8), value: kind === 0 ? value : bytes.subarray(start, from.at) });
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

  /** NaN where it ends too early or is no number that JavaScript counts exactly. */
  next(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at++] ?? NaN;
    if (first < 0x80) return first;
    let value = first - 0x80;
    for (let factor = 0x80; factor < 2 ** 70; factor *= 0x80) {
      const byte = bytes[this.at++] ?? NaN;
      if (byte < 0x80) {
        value += byte * factor;
        return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
      }
      value += (byte - 0x80) * factor;
    }
    return NaN;
  }
}
