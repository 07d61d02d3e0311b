/** As much of protobuf's encoding as CRIU's small messages need. Pure. */

export interface Field {
  number: number;
  value: number | Buffer;
}

/** The fields of one message; undefined where it is none, or has another kind than varint and bytes. */
export function fields(bytes: Buffer): Field[] | undefined {
  const found: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const key = varint(bytes, at);
    const head = key && varint(bytes, key.end);
    if (!key || !head) return undefined;
    const number = Math.floor(key.value / 8);
    const kind = key.value % 8;
    if (kind !== 0 && kind !== 2) return undefined;
    at = kind === 0 ? head.end : head.end + head.value;
    if (at > bytes.length) return undefined;
    found.push({ number, value: kind === 0 ? head.value : bytes.subarray(head.end, at) });
  }
  return found;
}

/** Undefined where it ends too early or is no number that JavaScript counts exactly. */
function varint(bytes: Buffer, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + 10); at++) {
    const byte = bytes.readUInt8(at);
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}

/** A message of varints alone. */
export function encode(message: readonly { number: number; value: number }[]): Buffer {
  const bytes: number[] = [];
  for (const { number, value } of message) {
    pushVarint(bytes, number * 8);
    pushVarint(bytes, value);
  }
  return Buffer.from(bytes);
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
}
