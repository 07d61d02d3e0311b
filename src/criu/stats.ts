/** Fields of `dump_stats_entry` and `restore_stats_entry` in CRIU's images/stats.proto, by number: microseconds and pages. */
const names = {
  1: [
    "",
    "freezing_time",
    "frozen_time",
    "memdump_time",
    "memwrite_time",
    "pages_scanned",
    "pages_skipped_parent",
    "pages_written",
    "irmap_resolve",
    "pages_lazy",
    "page_pipes",
    "page_pipe_bufs",
    "shpages_scanned",
    "shpages_skipped_parent",
    "shpages_written",
  ],
  2: ["", "pages_compared", "pages_skipped_cow", "forking_time", "restore_time", "pages_restored"],
} as const;

const magic = [0x55105940, 0x57093306] as const;

/**
 * Reads a `stats-dump` or `stats-restore`: two magic numbers and a length, little-endian, then a protobuf.
 * Unknown fields are left out; undefined for anything else than such a file.
 */
export function readStats(file: Uint8Array): Record<string, number> | undefined {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes.length < 12 || bytes.readUInt32LE(0) !== magic[0] || bytes.readUInt32LE(4) !== magic[1])
    return undefined;
  const length = bytes.readUInt32LE(8);
  return length === bytes.length - 12 ? readEntry(bytes.subarray(12)) : undefined;
}

function readEntry(bytes: Buffer): Record<string, number> | undefined {
  const parts = fields(bytes);
  for (const { number, value } of parts ?? []) {
    if ((number === 1 || number === 2) && typeof value !== "number")
      return named(names[number], fields(value));
  }
  return undefined;
}

function named(
  known: readonly string[],
  parts: readonly Field[] | undefined,
): Record<string, number> | undefined {
  if (parts === undefined) return undefined;
  const entries = parts.flatMap(({ number, value }) => {
    const name = known[number] ?? "";
    return name !== "" && typeof value === "number" ? [[name, value] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

interface Field {
  number: number;
  value: number | Buffer;
}

/** The fields of one protobuf message; undefined where it is none, or has another kind than varint and bytes. */
function fields(bytes: Buffer): Field[] | undefined {
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
