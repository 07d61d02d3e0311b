/** native/shards: between CRIU and the shards of a checkpoint image. A child of the daemon's; it ends with it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { type Readable } from "node:stream";
import { imageError } from "../../image/errors.js";
import type { Keys } from "../../image/keys.js";
import type { Packing } from "../../image/manifest.js";
import { tail } from "../command.js";

const program = "/usr/lib/fastmig/shards";
/** Its exit code for an image that is not what was written. */
const damaged = 65;
const mostThreads = 8;

export interface ShardSettings {
  packing: Packing;
  secret: boolean;
  keys: Keys;
  /** Threads that pack and write; without it, as many as there are processors. */
  threads?: number;
}

/** Where CRIU, as this user, finds its socket. */
export interface Meeting {
  directory: string;
  uid: number;
}

export interface Captured {
  /** Bytes of each shard. */
  shards: number[];
  index: { size: number; tag: string };
  /** Of CRIU's images. */
  files: number;
  bytes: number;
}

export interface CaptureProgress {
  /** That came from CRIU, and that are in the shards. */
  bytes: number;
  stored: number;
}

/** Paths of an image's objects, and what vouches for the index. */
export interface Served {
  index: string;
  shards: readonly string[];
  tag: string;
}

/** CRIU may come once it is ready. */
export function startCapture(
  { directory, uid }: Meeting,
  paths: { index: string; shards: readonly string[] },
  settings: ShardSettings,
  onProgress: (progress: CaptureProgress) => void,
): Capture {
  const words = ["capture", directory, String(uid), paths.index, ...packingWords(settings), ...paths.shards];
  return new Capture(words, settings.keys, onProgress);
}

/** Verifies every byte, then is ready for a CRIU; IMAGE_DAMAGED where something is not what was written. */
export function startServing(
  { directory, uid }: Meeting,
  { index, shards, tag }: Served,
  settings: ShardSettings,
): Shards {
  return new Shards(
    ["serve", directory, String(uid), index, tag, ...packingWords(settings), ...shards],
    settings.keys,
  );
}

/** One file of the image, as a stream; `ended` tells whether it is whole. */
export function startPrinting(
  name: string,
  { index, shards, tag }: Served,
  settings: ShardSettings,
): Printing {
  return new Printing(["print", name, index, tag, ...packingWords(settings), ...shards], settings.keys);
}

function packingWords({ packing, secret, threads = availableParallelism() }: ShardSettings): string[] {
  return [`${packing}${secret ? "+secret" : ""}`, String(Math.min(mostThreads, threads))];
}

class Program {
  protected readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when it has ended well; rejects with its last words. */
  readonly ended: Promise<void>;
  #said = "";

  constructor(words: readonly string[], keys: Keys) {
    this.child = spawn(program, words, { stdio: ["pipe", "pipe", "pipe"] });
    this.child.stdin.on("error", () => undefined);
    this.child.stdin.write(keys.chunks);
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.ended = this.#end();
    this.ended.catch(() => undefined);
  }

  /** Resolves when it has ended, however. */
  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended.catch(() => undefined);
  }

  async #end(): Promise<void> {
    const code = await new Promise<number | null>((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", resolve);
    });
    if (code === 0) return;
    const why = tail(this.#said, 3).join("; ") || `shards ended with ${code}`;
    throw code === damaged ? imageError("IMAGE_DAMAGED", why) : new Error(why);
  }
}

export class Printing extends Program {
  get content(): Readable {
    return this.child.stdout;
  }
}

export class Shards extends Program {
  readonly #ready = Promise.withResolvers<void>();

  constructor(words: readonly string[], keys: Keys) {
    super(words, keys);
    createInterface(this.child.stdout).on("line", (line) => {
      if (line === "ready") this.#ready.resolve();
      else this.heard(line.split(" "));
    });
    this.ended.catch((thrown: unknown) => this.#ready.reject(thrown));
    this.#ready.promise.catch(() => undefined);
  }

  /** Resolves when CRIU may come; rejects, with its last words, where it ended before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** @param words of a line that it printed. */
  protected heard(_words: readonly string[]): void {
    return;
  }

  protected tell(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }
}

export class Capture extends Shards {
  readonly #captured: Captured = { shards: [], index: { size: 0, tag: "" }, files: 0, bytes: 0 };
  readonly #onProgress: (progress: CaptureProgress) => void;
  #added: PromiseWithResolvers<void> | undefined;

  constructor(words: readonly string[], keys: Keys, onProgress: (progress: CaptureProgress) => void) {
    super(words, keys);
    this.#onProgress = onProgress;
  }

  protected override heard([what, first, second = ""]: readonly string[]): void {
    const captured = this.#captured;
    const number = Number(first);
    if (what === "progress") this.#onProgress({ bytes: number, stored: Number(second) });
    else if (what === "added") this.#added?.resolve();
    else if (what === "shard") captured.shards.push(number);
    else if (what === "index") captured.index = { size: number, tag: second };
    else if (what === "file") {
      captured.files += 1;
      captured.bytes += number;
    }
  }

  /** Resolves when what is written into the pipe becomes a file of the image. */
  async add(name: string, pipe: string): Promise<void> {
    this.#added = Promise.withResolvers();
    this.tell(`add ${name} ${pipe}`);
    await Promise.race([this.#added.promise, this.ended]);
  }

  /** CRIU has written everything: resolves when it is in the shards. */
  async finish(): Promise<Captured> {
    this.tell("finish");
    await this.ended;
    return this.#captured;
  }
}
