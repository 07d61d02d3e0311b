import type { Segment } from "../api.js";

/** The segments that were verified, by file and offset; a later one replaces an earlier one. */
export class SegmentIndex {
  readonly #files = new Map<string, Map<number, Segment>>();
  #bytes = 0;

  add(segment: Segment): void {
    const file = this.#files.get(segment.file) ?? new Map<number, Segment>();
    this.#bytes += segment.length - (file.get(segment.offset)?.length ?? 0);
    file.set(segment.offset, segment);
    this.#files.set(segment.file, file);
  }

  remove(segment: Segment): void {
    if (!this.has(segment)) return;
    this.#files.get(segment.file)?.delete(segment.offset);
    this.#bytes -= segment.length;
  }

  /** Whatever is in these files. */
  removeFiles(wanted: (file: string) => boolean): void {
    for (const [name, file] of this.#files) {
      if (!wanted(name)) continue;
      for (const segment of file.values()) this.#bytes -= segment.length;
      this.#files.delete(name);
    }
  }

  has({ file, offset, length, digest }: Segment): boolean {
    const known = this.#files.get(file)?.get(offset);
    return known?.length === length && known.digest === digest;
  }

  /** Bytes that would be known if this segment were added. */
  bytesWith(segment: Pick<Segment, "file" | "offset" | "length">): number {
    return this.#bytes + segment.length - (this.#files.get(segment.file)?.get(segment.offset)?.length ?? 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#files.size;
  }

  all(): Segment[] {
    return [...this.#files.values()].flatMap((file) => [...file.values()]);
  }

  byFile(): Map<string, Segment[]> {
    return new Map([...this.#files].map(([name, file]) => [name, [...file.values()]]));
  }
}
