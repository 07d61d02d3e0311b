/** Images in Google Cloud Storage. Loaded where one is asked for: its SDK is larger than the daemon. */
import {
  type Bucket,
  type File,
  type GetFilesResponse,
  Storage,
  type StorageOptions,
} from "@google-cloud/storage";
import type { Readable } from "node:stream";
import events from "node:events";
import { partsOf } from "../../pipe.js";
import { imageError } from "../errors.js";
import type { BucketUrl } from "../url.js";
import { BucketStore, type Listing } from "./bucket.js";
import { ResumableUpload } from "./google-upload.js";
import { type Access, googleCredentials } from "./access.js";
import type { Send } from "./upload.js";

/** Of a request of an upload; a multiple of 256 KiB. Each shard has one in memory. */
const partSize = 4 * 1024 * 1024;

/** Milliseconds that the store has for a request. */
const timeout = 30_000;

// The SDK listens eleven times to each of its streams: Node would warn whoever reads the output.
events.defaultMaxListeners = Math.max(events.defaultMaxListeners, 20);

export class GoogleStore extends BucketStore {
  readonly #bucket: Bucket;

  constructor(url: BucketUrl, access: Access) {
    super(url);
    this.#bucket = new Storage(configuration(access, this.url)).bucket(url.bucket);
  }

  async read(name: string): Promise<Buffer | undefined> {
    return (await this.ifThere(() => this.#file(name).download(asStored)))?.[0];
  }

  async readAt(name: string, at: number, length: number): Promise<Buffer | undefined> {
    const part = { start: at, end: at + length - 1, ...asStored };
    return (await this.ifThere(() => this.#file(name).download(part)))?.[0];
  }

  async size(name: string): Promise<number | undefined> {
    const answer = await this.ifThere(() => this.#file(name).getMetadata());
    return answer === undefined ? undefined : Number(answer[0].size);
  }

  async write(name: string, content: string): Promise<void> {
    await this.asked(async () => {
      const [session] = await this.#file(name).createResumableUpload();
      await new ResumableUpload(session, new AbortController().signal).finish(Buffer.from(content));
    });
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.asked(() => this.#file(name).delete({ ignoreNotFound: true }));
  }

  protected async listing(prefix: string): Promise<Listing> {
    const found: Listing = { names: [], below: [] };
    for (let next: object | null = { prefix, delimiter: "/" }; next !== null;) {
      // Page by page: only so the places below come along. It has to be said of each.
      const page: GetFilesResponse = await this.#bucket.getFiles({ ...next, autoPaginate: false });
      const { prefixes = [] } = page[2] as { prefixes?: string[] };
      found.names.push(...page[0].map(({ name }) => name));
      found.below.push(...prefixes);
      next = page[1];
    }
    return found;
  }

  protected async begin(key: string): Promise<Send> {
    const file = this.#bucket.file(key);
    const [session] = await file.createResumableUpload();
    return async (pipe, signal) => {
      const upload = new ResumableUpload(session, signal);
      let rest: Buffer = Buffer.alloc(0);
      for await (const part of partsOf(pipe, partSize, signal)) {
        if (part.length === partSize) await upload.send(part);
        else rest = part;
      }
      signal.throwIfAborted();
      await upload.finish(rest);
    };
  }

  protected stream(key: string, start: number): Promise<Readable> {
    // Of an empty object there is no part.
    const part = start > 0 ? { start, ...asStored } : asStored;
    return Promise.resolve(this.#bucket.file(key).createReadStream(part));
  }

  protected isMissing(thrown: unknown): boolean {
    return (thrown as { code?: unknown }).code === 404;
  }

  #file(name: string): File {
    return this.#bucket.file(this.key(name));
  }
}

/** What is in there is verified by whoever reads it. */
const asStored = { validation: false, decompress: false } as const;

/** What an environment says counts before what the SDK finds by itself: a user's login, an instance's or a pod's account. */
function configuration(access: Access, url: string): StorageOptions {
  const emulator = access["STORAGE_EMULATOR_HOST"];
  if (emulator) return { apiEndpoint: emulator, projectId: "none", timeout };
  const text = access[googleCredentials];
  if (text === undefined) return { timeout };
  try {
    return { credentials: JSON.parse(text) as object, timeout };
  } catch (thrown) {
    throw imageError("IMAGE_STORE", `${url}: what GOOGLE_APPLICATION_CREDENTIALS names is no JSON`, {
      cause: thrown,
    });
  }
}
