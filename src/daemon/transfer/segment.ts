import type { FinalRequest } from "../api.js";

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
