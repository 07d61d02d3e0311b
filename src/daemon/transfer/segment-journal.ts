import { closeSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as z from "zod/mini";
import { Segment } from "../api.js";

/** The verified segments, one JSON line each: hints for a daemon that starts again, which hashes what they name. */
export class SegmentJournal {
  readonly #path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Not fsynced: what a crash of the machine takes away is sent again. */
  add(segment: Segment): void {
    this.#fd ??= openSync(this.#path, "a", 0o600);
    writeSync(this.#fd, `${JSON.stringify(segment)}\n`);
  }

  /** Lines that are no segments (the last one may be torn) are left out. */
  async read(): Promise<Segment[]> {
    const text = await readFile(this.#path, "utf8").catch(emptyIfMissing);
    return text.split("\n").flatMap((line) => segmentOf(line));
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

const Line = z.pipe(
  z.transform((line: string) => JSON.parse(line) as unknown),
  Segment,
);

function segmentOf(line: string): Segment[] {
  try {
    return [Line.parse(line)];
  } catch {
    return [];
  }
}

function emptyIfMissing(thrown: NodeJS.ErrnoException): string {
  if (thrown.code === "ENOENT") return "";
  throw thrown;
}
