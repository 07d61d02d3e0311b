import { appendFile, readFile } from "node:fs/promises";
import * as z from "zod/mini";
import { Segment } from "../api.js";

/** The verified segments, one JSON line each: hints for a daemon that starts again, which hashes what they name. */
export class SegmentJournal {
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Not fsynced: what a crash of the machine takes away is sent again. */
  add(segment: Segment): Promise<void> {
    this.#last = this.#last.then(() =>
      appendFile(this.#path, `${JSON.stringify(segment)}\n`, { mode: 0o600 }),
    );
    return this.#last;
  }

  /** Lines that are no segments (the last one may be torn) are left out. */
  async read(): Promise<Segment[]> {
    const text = await readFile(this.#path, "utf8").catch(emptyIfMissing);
    return text.split("\n").flatMap((line) => segmentOf(line));
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
