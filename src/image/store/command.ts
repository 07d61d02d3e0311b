/** Images that a command of the user's copies, as FastFreeze has it: `$S3_CMD cp FROM TO`, with `-` for the pipe. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Socket } from "node:net";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { imageError, missing } from "../errors.js";
import type { BucketUrl } from "../url.js";
import { BucketStore, type Listing } from "./bucket.js";
import { refusal } from "./refusal.js";
import type { Send } from "./upload.js";

/** As FastFreeze says it to S3's, which makes the parts of an upload large enough for so many bytes. */
const expected = ["--expected-size", String(10 * 1024 ** 3)];

/** It copies whole objects: nothing can be listed or removed, and a part is read by reading what comes before it. */
export class CommandStore extends BucketStore {
  readonly #bucket: string;
  readonly #command: string;
  readonly #scheme: BucketUrl["scheme"];

  constructor(url: BucketUrl, command: string) {
    super(url);
    this.#bucket = `${url.scheme}://${url.bucket}`;
    this.#command = command;
    this.#scheme = url.scheme;
  }

  async read(name: string): Promise<Buffer | undefined> {
    return this.ifThere(async () => buffer(await this.stream(this.key(name), 0)));
  }

  async readAt(name: string, at: number, length: number): Promise<Buffer | undefined> {
    return this.ifThere(async () => {
      const parts: Buffer[] = [];
      let more = length;
      for await (const part of this.#output(this.key(name), at)) {
        parts.push(part.subarray(0, more));
        more -= part.length;
        if (more <= 0) break;
      }
      return Buffer.concat(parts);
    });
  }

  override async *content(name: string): AsyncGenerator<Buffer> {
    try {
      yield* this.#output(this.key(name), 0);
    } catch (thrown) {
      throw this.isMissing(thrown) ? missing(this.url, name) : refusal(this.url, thrown);
    }
  }

  /** By reading all of it. */
  async size(name: string): Promise<number | undefined> {
    return this.ifThere(async () => {
      let size = 0;
      for await (const part of this.#output(this.key(name), 0)) size += part.length;
      return size;
    });
  }

  async write(name: string, content: string): Promise<void> {
    await this.asked(() => this.#input(this.key(name), Readable.from([content])));
  }

  remove(): Promise<void> {
    return Promise.reject(this.#onlyCopies());
  }

  protected listing(): Promise<Listing> {
    return Promise.reject(this.#onlyCopies());
  }

  protected begin(key: string): Promise<Send> {
    const send: Send = (fd, signal) => {
      const pipe = new Socket({ fd, readable: true, writable: false });
      return this.#input(key, pipe, signal);
    };
    return Promise.resolve(send);
  }

  protected stream(key: string, at: number): Promise<Readable> {
    return Promise.resolve(Readable.from(this.#output(key, at)));
  }

  /** The words that FastFreeze looks for. */
  protected isMissing(thrown: unknown): boolean {
    return thrown instanceof Error && /Not Found|No such object/.test(thrown.message);
  }

  #onlyCopies(): Error {
    const variable = this.#scheme === "s3" ? "S3_CMD" : "GS_CMD";
    return imageError("IMAGE_STORE", `${this.url}: ${variable} only copies, it does not list or remove`, {
      hint: `without ${variable} fastmig reaches the store itself`,
    });
  }

  async *#output(key: string, at: number): AsyncGenerator<Buffer> {
    const child = this.#start([], `${this.#bucket}/${key}`, "-");
    const ended = outcome(child);
    let before = at;
    try {
      for await (const part of child.stdout as AsyncIterable<Buffer>) {
        if (before < part.length) yield part.subarray(before);
        before = Math.max(0, before - part.length);
      }
      await ended;
    } finally {
      end(child);
    }
  }

  async #input(key: string, from: Readable, signal?: AbortSignal): Promise<void> {
    const options = this.#scheme === "s3" ? expected : [];
    const child = this.#start(options, "-", `${this.#bucket}/${key}`);
    const ended = outcome(child);
    // Before its input ends, which it would take for the object's end.
    const stop = (): void => end(child);
    signal?.addEventListener("abort", stop);
    try {
      // Where it ends early, its own words say why.
      await Promise.race([pipeline(from, child.stdin).catch(() => ended), ended]);
      await ended;
      signal?.throwIfAborted();
    } finally {
      signal?.removeEventListener("abort", stop);
      from.destroy();
    }
  }

  /** The command may be several words, as a shell reads them. */
  #start(options: readonly string[], from: string, to: string): ChildProcessWithoutNullStreams {
    const words = ["-c", `${this.#command} cp "$@"`, "sh", ...options, from, to];
    return spawn("sh", words, { detached: true });
  }
}

/** With everything that it started. */
function end(child: ChildProcessWithoutNullStreams): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    process.kill(-child.pid, "SIGKILL");
}

/** Resolves when it has ended well; rejects with its last words. */
function outcome(child: ChildProcessWithoutNullStreams): Promise<void> {
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4096)));
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const words = said.trim().split("\n").slice(-3).join("; ");
      if (code === 0) resolve();
      else reject(new Error(`${words} (it ended with ${code ?? signal})`));
    });
  });
  ended.catch(() => undefined);
  return ended;
}
