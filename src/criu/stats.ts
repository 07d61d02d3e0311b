import { fields, type Field } from "../protobuf.js";

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
  if (parts === undefined || parts.some(({ value }) => value === Infinity)) return undefined;
  const entries = parts.flatMap(({ number, value }) => {
    const name = known[number] ?? "";
    return name !== "" && typeof value === "number" ? [[name, value] as const] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
