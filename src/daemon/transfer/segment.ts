import type { FinalRequest, Segment } from "../api.js";

/**
 * Every segment starts at a multiple of this and is as long, but for a file's last one: so two segments are
 * the same or disjoint, and what was verified cannot be overwritten by its neighbour. Both ends must agree.
 */
export const segmentSize = 4 * 1024 * 1024;

export type FinalFile = FinalRequest["files"][number];

/** How many bytes of a file's `size` belong to the segment at `offset`. */
export function lengthAt(offset: number, size: number): number {
  return Math.min(segmentSize, size - offset);
}

/** The path and query that segments are put to. */
export function segmentsPath(id: string, segments: readonly Segment[]): string {
  const [segment] = segments;
  if (segment === undefined || segments.length > 1) return `/peer/${id}/segments?bundle`;
  const { file, offset, length, digest } = segment;
  const query = new URLSearchParams({ file, offset: String(offset), length: String(length), digest });
  return `/peer/${id}/segments?${query.toString()}`;
}
