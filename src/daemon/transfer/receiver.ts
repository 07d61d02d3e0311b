import { ImageFile, type Received, type Segment } from "../api.js";
import { HttpError } from "../refusals.js";
import { Buffers } from "./buffers.js";
import { digestOf } from "./digest.js";
import { longestBundle, readBundle, type Bundled } from "./bundle.js";
import { finalProblems } from "./final-check.js";
import { isOfRound } from "./image-files.js";
import { ImageStore, type Owner } from "./image-store.js";
import { SegmentIndex } from "./segment-index.js";
import { SegmentJournal } from "./segment-journal.js";
import { segmentSize, type FinalFile } from "./segment.js";
import type { Fill } from "./take-body.js";

export interface ReceiverOptions {
  /** Absolute, 0700, exists, ours alone. */
  directory: string;
  /** A file of the migration's state directory; a daemon that starts again finds there what to hash. */
  journal: string;
  /** Bytes of all files together that are taken at most. */
  maxTotal: number;
  /** Milliseconds without a byte of a body after which it counts as lost. */
  silence?: number;
  /** Segments that are taken at the same time; each has a buffer of its own. */
  atOnce?: number;
  /** Whether a file of an earlier daemon is believed to have been whole, whatever it holds now. */
  settled?: (file: string) => boolean;
}

/** The destination's store of one migration's images. */
export interface Receiver {
  /**
   * Takes a bundle of segments; resolves once every length and digest is verified and all of it is written: nothing wrong is
   * ever written. Rejects with an HttpError where the sender is to blame, else with what went wrong here.
   *
   * @param sealed whether `fill` rejects where the bytes are not those that were sent: digests may lack then.
   */
  receive(fill: Fill, sealed?: boolean): Promise<void>;
  received(): Received;
  progress(): { bytes: number; files: number };
  /** From now on only files of this round are taken, or only what is no round's (null): what comes late is refused. */
  expect(round: number | null): void;
  /**
   * Returns where every segment of the round's files is here and nothing else of it; then their sizes are set and nothing more
   * is taken before the next `expect`. Throws like `verifyFinal`.
   */
  verifyRound(round: number, files: readonly FinalFile[]): void;
  /** Everything in these directories gets its owner. */
  giveFiles(directories: readonly string[], owner: Owner): void;
  /** Every round is given up: its files are removed, and nothing of it is taken any more. */
  forgetRounds(): Promise<void>;
  /**
   * Returns where every segment of `files` is here and nothing else that is no round's; then sizes and owners are set and
   * nothing more is taken. Throws an HttpError that lists what is missing or too much; more may be sent then.
   */
  verifyFinal(files: readonly FinalFile[], owner: Owner): void;
  /** Takes nothing more; resolves when what was under way has ended. The files stay. */
  close(): Promise<void>;
}

/**
 * Opens the store, with every segment that the journal names and whose bytes still have that digest. Without one they are
 * believed: they were written before the journal was, and the kernel outlives a daemon.
 */
export async function openReceiver(options: ReceiverOptions): Promise<Receiver> {
  const store = new ImageStore(options.directory);
  const journal = new SegmentJournal(options.journal);
  const index = new SegmentIndex();
  const said = await journal.read();
  const buffer = Buffer.allocUnsafe(said.length === 0 ? 0 : segmentSize);
  for (const segment of said) {
    if (options.settled?.(segment.file) || stillThere(store, segment, buffer)) index.add(segment);
  }
  return new ImageReceiver(options, store, journal, index);
}

function stillThere(store: ImageStore, segment: Segment, buffer: Buffer): boolean {
  const { file, offset, length, digest } = segment;
  if (length > segmentSize) return false;
  try {
    if (digest === undefined) return store.read(file, offset + length - 1, buffer.subarray(0, 1)) === 1;
    const bytes = buffer.subarray(0, length);
    return store.read(file, offset, bytes) === length && digestOf(bytes) === digest;
  } catch {
    return false;
  }
}

class ImageReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #store: ImageStore;
  readonly #journal: SegmentJournal;
  readonly #index: SegmentIndex;
  readonly #buffers: Buffers;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();
  #sealed = false;
  #expected: (file: string) => boolean = () => true;

  constructor(options: ReceiverOptions, store: ImageStore, journal: SegmentJournal, index: SegmentIndex) {
    this.#options = options;
    this.#store = store;
    this.#journal = journal;
    this.#index = index;
    this.#buffers = new Buffers(longestBundle, options.atOnce ?? 8);
  }

  receive(fill: Fill, sealed = false): Promise<void> {
    const taken = this.#buffers.use(this.#closing.signal, (buffer) => this.#take(buffer, fill, sealed));
    this.#underWay.add(taken);
    return taken.finally(() => this.#underWay.delete(taken));
  }

  received(): Received {
    return { segments: this.#index.all() };
  }

  progress(): { bytes: number; files: number } {
    return { bytes: this.#index.bytes, files: this.#index.files };
  }

  expect(round: number | null): void {
    this.#expected = round === null ? (file) => !isOfRound(file) : (file) => file.startsWith(`${round}/`);
  }

  verifyRound(round: number, files: readonly FinalFile[]): void {
    this.#demand(files, (file) => file.startsWith(`${round}/`));
    this.#store.finish(files);
    this.#expected = () => false;
  }

  async forgetRounds(): Promise<void> {
    this.#expected = () => false;
    this.#index.removeFiles(isOfRound);
    await this.#store.removeRounds();
  }

  giveFiles(directories: readonly string[], owner: Owner): void {
    this.#store.giveFiles(directories, owner);
  }

  verifyFinal(files: readonly FinalFile[], owner: Owner): void {
    this.#demand(files, (file) => !isOfRound(file));
    this.#store.finish(files, owner);
    this.#store.giveDirectories(owner);
    this.#sealed = true;
  }

  async close(): Promise<void> {
    this.#sealed = true;
    this.#closing.abort(new HttpError(409, "CLOSED", "this migration takes no more segments"));
    await Promise.allSettled([...this.#underWay]);
    this.#journal.close();
  }

  async #take(buffer: Buffer, fill: Fill, sealed: boolean): Promise<void> {
    const length = await fill(buffer, this.#options.silence ?? 10_000, this.#closing.signal);
    const parts = readBundle(buffer.subarray(0, length));
    for (const part of parts) this.#verify(part, sealed);
    for (const part of parts) this.#keep(part);
  }

  #verify({ segment, bytes }: Bundled, sealed: boolean): void {
    this.#check(segment);
    if (segment.digest === undefined) {
      if (sealed) return;
      throw new HttpError(400, "BUNDLE", `${segment.file} came without a digest, and without a seal`);
    }
    const digest = digestOf(bytes);
    if (digest !== segment.digest)
      throw new HttpError(400, "DIGEST", `the digest of ${segment.file} is ${digest}`);
  }

  #keep({ segment, bytes }: Bundled): void {
    this.#check(segment);
    this.#store.write(segment.file, segment.offset, bytes);
    this.#index.add(segment);
    this.#journal.add(segment);
  }

  #check(segment: Segment): void {
    if (this.#sealed)
      throw new HttpError(409, "SEALED", "the list of files was accepted, nothing more is taken");
    if (!ImageFile.safeParse(segment.file).success)
      throw new HttpError(400, "FILE", "that is no name of an image file");
    if (!this.#expected(segment.file))
      throw new HttpError(409, "NOT_EXPECTED", `${segment.file} is not expected now`);
    if (segment.offset % segmentSize !== 0)
      throw new HttpError(400, "OFFSET", `segments start at multiples of ${segmentSize}`);
    if (segment.length === 0) throw new HttpError(400, "LENGTH", "an empty file has no segment");
    if (segment.length > segmentSize)
      throw new HttpError(413, "SEGMENT_TOO_LONG", `a segment has at most ${segmentSize} bytes`);
    if (this.#index.bytesWith(segment) > this.#options.maxTotal) {
      throw new HttpError(413, "TOTAL_TOO_LONG", `the images have more than ${this.#options.maxTotal} bytes`);
    }
  }

  #demand(files: readonly FinalFile[], among: (file: string) => boolean): void {
    const here = new Map([...this.#index.byFile()].filter(([file]) => among(file)));
    const problems = finalProblems(files, here);
    if (problems.length > 0)
      throw new HttpError(409, "INCOMPLETE", "the images are not what the list says", problems);
  }
}
