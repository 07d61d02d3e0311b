import { pause } from "../../wait.js";
import type { Segment, TransferProgress } from "../api.js";
import type { PeerClient } from "./client.js";
import { TransferError } from "./errors.js";
import { filesIn, growingFiles, readSegment, type FoundFile } from "./image-files.js";
import type { Pace } from "./pace.js";
import { PieceQueue, type Piece } from "./piece-queue.js";
import { SegmentIndex } from "./segment-index.js";
import { lengthAt, segmentSize, type FinalFile } from "./segment.js";

export interface ShipperOptions {
  /** Absolute; the images lie in it and in its directories. */
  root: string;
  /** Those of the root whose files are shipped; `""`: the root's own files. */
  directories: readonly string[];
  client: PeerClient;
  /** Ends everything: the caller's lease and deadline. A lost link alone never does. */
  signal: AbortSignal;
  /** Called whenever the peer has verified something. */
  onProgress: (progress: TransferProgress) => void;
  /** Holds back what is sent. */
  pace?: Pace;
  /** Called while the pace holds it back, so that nobody takes it for silence. */
  onWait?: () => void;
  /** Milliseconds between two looks at growing files; where nobody is frozen there is no hurry. */
  lookEvery?: number;
  /** Bodies that are under way at the same time; each has a buffer of its own. */
  atOnce?: number;
}

export interface Shipper {
  /** Starts to ship what CRIU appends to the pages images of the directories, while it writes. */
  follow(): void;
  /**
   * Nothing is written any more: ships the rest of every file; resolves to the list for `final` when the peer
   * has verified all. Rejects with a TransferError where the peer refuses, with the signal's reason where that
   * aborts, and with what went wrong where a file cannot be read.
   */
  finish(): Promise<FinalFile[]>;
  /** Stops; resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Milliseconds, while a service is frozen. */
const hurried = 5;
/** Of the time, spent with looking at growing files: CRIU may have the same processor. And milliseconds between two looks at most. */
const lookShare = 0.05;
const seldom = 100;
/** Bytes of a piece that does not deserve a request of its own, and what goes into one together. */
const small = 256 * 1024;
const bundleSize = 1024 * 1024;
const bundleCount = 256;
/** Milliseconds from a lost line to the next try. */
const shortestWait = 50;
const longestWait = 1000;
/** A line that damages more than that many bodies of one segment will not get better. */
const mostDamaged = 5;

export function createShipper(options: ShipperOptions): Shipper {
  return new ImageShipper(options);
}

class ImageShipper implements Shipper {
  readonly #options: ShipperOptions;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #queue = new PieceQueue();
  /** Bytes of each file that are queued, under way or verified. */
  readonly #planned = new Map<string, number>();
  readonly #verified = new SegmentIndex();
  readonly #workers: Promise<unknown>;
  #following: Promise<void> = Promise.resolve();
  #stopFollowing = new AbortController();
  #syncing: Promise<void> | undefined;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#stop.signal]);
    this.#workers = Promise.all(Array.from({ length: options.atOnce ?? 2 }, () => this.#work()));
    this.#workers.catch((reason: unknown) => {
      this.#stop.abort(reason);
    });
  }

  follow(): void {
    this.#following = this.#look().catch((thrown: unknown) => {
      if (!this.#stopFollowing.signal.aborted) this.#stop.abort(thrown);
    });
  }

  async finish(): Promise<FinalFile[]> {
    await this.#endFollowing();
    this.#signal.throwIfAborted();
    const files = filesIn(this.#options.root, this.#options.directories);
    for (const file of files) this.#plan(file, file.size);
    // What went before may have been taken by a daemon that is no more: asked while the rest is on its way, or told by it.
    const told = this.#options.client.tellsRestart && this.#queue.length > 0;
    if (this.#verified.files > 0 && !told) await Promise.race([this.#sync(), this.#workers]);
    this.#queue.end();
    await this.#workers;
    return this.#list(files);
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the transfer was closed"));
    await this.#endFollowing();
    await this.#workers.catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { root, directories, lookEvery = hurried } = this.#options;
    const signal = AbortSignal.any([this.#signal, this.#stopFollowing.signal]);
    for (;;) {
      const began = performance.now();
      for (const file of directories.flatMap((directory) => growingFiles(root, directory))) {
        this.#plan(file, file.size - (file.size % segmentSize));
      }
      const rest = (performance.now() - began) / lookShare;
      await pause(Math.max(lookEvery, Math.min(rest, seldom)), signal);
    }
  }

  async #endFollowing(): Promise<void> {
    this.#stopFollowing.abort();
    await this.#following;
  }

  /** Queues what of the file's first `until` bytes is not queued yet. */
  #plan({ file, size }: FoundFile, until: number): void {
    const planned = this.#planned.get(file) ?? 0;
    if (size < planned) throw new Error(`${file} has shrunk from ${planned} bytes to ${size}`);
    for (let offset = planned; offset < until; offset += segmentSize) {
      this.#queue.push({ file, offset, length: lengthAt(offset, until) });
    }
    this.#planned.set(file, until);
  }

  async #work(): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(segmentSize);
    for (;;) {
      const piece = await this.#queue.next(this.#signal);
      if (piece === undefined) return;
      await this.#ship([piece, ...this.#queue.take(fitsBeside(piece))], buffer);
    }
  }

  async #ship(pieces: readonly Piece[], buffer: Buffer): Promise<void> {
    const { root, pace, onWait } = this.#options;
    await pace?.take(bytesOf(pieces), this.#signal, onWait);
    let end = 0;
    for (const { file, offset, length } of pieces) {
      readSegment(root, file, offset, buffer.subarray(end, (end += length)));
    }
    for (const segment of await this.#deliver(pieces, buffer.subarray(0, end))) this.#verified.add(segment);
    this.#options.onProgress(this.#progress());
  }

  async #deliver(pieces: readonly Piece[], bytes: Buffer): Promise<Segment[]> {
    for (let damaged = 0; ;) {
      try {
        return await this.#options.client.put(pieces, bytes, this.#signal);
      } catch (thrown) {
        if (isLost(thrown)) await this.#afterLoss();
        else if (!isDamaged(thrown) || ++damaged === mostDamaged) throw thrown;
      }
    }
  }

  async #afterLoss(): Promise<void> {
    await pause(shortestWait, this.#signal);
    await this.#sync();
  }

  /** The peer may be another process than before: what it has not any more is queued again. */
  #sync(): Promise<void> {
    this.#syncing ??= this.#askWhatArrived().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #askWhatArrived(): Promise<void> {
    const sent = this.#verified.all();
    const arrived = new SegmentIndex();
    for (const segment of await this.#received()) arrived.add(segment);
    const lacking = sent.filter((segment) => !arrived.has(segment));
    for (const segment of lacking) {
      this.#verified.remove(segment);
      const { digest: _, ...piece } = segment;
      this.#queue.push(piece);
    }
  }

  async #received(): Promise<readonly Segment[]> {
    for (let wait = shortestWait; ; wait = Math.min(wait * 2, longestWait)) {
      try {
        return (await this.#options.client.received(this.#signal)).segments;
      } catch (thrown) {
        if (!isLost(thrown)) throw thrown;
        await pause(wait, this.#signal);
      }
    }
  }

  #progress(): TransferProgress {
    const total = [...this.#planned.values()].reduce((sum, bytes) => sum + bytes, 0);
    return { bytes: this.#verified.bytes, total, files: this.#planned.size };
  }

  #list(files: readonly FoundFile[]): FinalFile[] {
    const verified = this.#verified.byFile();
    return files.map(({ file, size }) => ({
      file,
      size,
      segments: (verified.get(file) ?? [])
        .map(({ offset, length, digest }) => ({ offset, length, digest }))
        .sort((a, b) => a.offset - b.offset),
    }));
  }
}

function bytesOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Whether a piece goes in one body with `first` and those that were let in before. */
function fitsBeside(first: Piece): (piece: Piece) => boolean {
  let bytes = first.length;
  let count = 1;
  return ({ length }) => {
    const fits =
      first.length <= small && length <= small && bytes + length <= bundleSize && count < bundleCount;
    if (fits) {
      bytes += length;
      count++;
    }
    return fits;
  };
}

function isLost(thrown: unknown): boolean {
  return thrown instanceof TransferError && thrown.fault.kind === "lost";
}

function isDamaged(thrown: unknown): boolean {
  return thrown instanceof TransferError && thrown.fault.kind === "refused" && thrown.fault.code === "DIGEST";
}
