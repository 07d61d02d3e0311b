import type { Segment } from "../api.js";
import { lengthAt, segmentSize, type FinalFile } from "./segment.js";

/** What keeps the verified segments from being exactly `files`: nothing missing, nothing more. Empty: they are. */
export function finalProblems(
  files: readonly FinalFile[],
  received: ReadonlyMap<string, readonly Segment[]>,
): string[] {
  const names = new Set(files.map(({ file }) => file));
  const twice = files.length === names.size ? [] : ["a file is listed twice"];
  const more = [...received.keys()]
    .filter((file) => !names.has(file))
    .map((file) => `${file}: not in the list`);
  return [...twice, ...more, ...files.flatMap((file) => fileProblems(file, received.get(file.file) ?? []))];
}

function fileProblems({ file, size, segments }: FinalFile, received: readonly Segment[]): string[] {
  const wanted = Math.ceil(size / segmentSize);
  if (segments.length !== wanted)
    return [`${file}: ${segments.length} segments listed, its size has ${wanted}`];
  const digests = new Map(received.map((segment) => [segment.offset, segment]));
  const surplus = received
    .filter(({ offset }) => offset >= size)
    .map(({ offset }) => `${file}: more at ${offset}`);
  return [
    ...surplus,
    ...segments.flatMap((segment, at) => segmentProblems(file, size, segment, at, digests)),
  ];
}

function segmentProblems(
  file: string,
  size: number,
  listed: FinalFile["segments"][number],
  at: number,
  received: ReadonlyMap<number, Segment>,
): string[] {
  const offset = at * segmentSize;
  if (listed.offset !== offset || listed.length !== lengthAt(offset, size)) {
    return [
      `${file}: the list says ${listed.length} bytes at ${listed.offset} where ${lengthAt(offset, size)} at ${offset} belong`,
    ];
  }
  const have = received.get(offset);
  if (have === undefined) return [`${file}: ${listed.length} bytes at ${offset} are missing`];
  if (have.length !== listed.length || have.digest !== listed.digest)
    return [`${file}: other bytes at ${offset}`];
  return [];
}
