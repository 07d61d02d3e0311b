import { join } from "node:path";
import type { Readable } from "node:stream";
import { missing } from "../errors.js";
import { type BucketUrl, formatImageUrl } from "../url.js";
import { download } from "./download.js";
import { refusal } from "./refusal.js";
import type { Store, Upload } from "./store.js";
import { type Send, uploadFromPipes } from "./upload.js";

/** Bytes of a request of those that read an object one after the other. */
const windowSize = 4 * 1024 * 1024;

/** What lies at a place in a bucket. */
export interface Listing {
  names: string[];
  below: string[];
}

/** What all stores behind a network have in common: objects go and come as streams. */
export abstract class BucketStore implements Store {
  readonly url: string;
  readonly remote = true;
  readonly #prefix: string;

  constructor(url: BucketUrl) {
    this.url = formatImageUrl(url);
    this.#prefix = url.path === "" ? "" : `${url.path}/`;
  }

  abstract read(name: string): Promise<Buffer | undefined>;
  abstract readAt(name: string, at: number, length: number): Promise<Buffer | undefined>;
  abstract size(name: string): Promise<number | undefined>;
  abstract write(name: string, content: string): Promise<void>;
  abstract remove(names: readonly string[]): Promise<void>;

  /** @param prefix what keys here begin with. */
  protected abstract listing(prefix: string): Promise<Listing>;
  /** Resolves when the store has agreed to take an object. */
  protected abstract begin(key: string): Promise<Send>;
  /** An object's content from a byte on. */
  protected abstract stream(key: string, at: number): Promise<Readable>;
  /** Whether that is how the store says that there is no such object. */
  protected abstract isMissing(thrown: unknown): boolean;

  async list(): Promise<string[]> {
    return (await this.#listed()).names;
  }

  async below(): Promise<string[]> {
    return (await this.#listed()).below;
  }

  clear(): Promise<void> {
    return Promise.resolve();
  }

  create(names: readonly string[], directory: string): Promise<Upload> {
    return uploadFromPipes(names, directory, async (name) => {
      const send = await this.asked(() => this.begin(this.key(name)));
      return (pipe, signal) => this.asked(() => send(pipe, signal));
    });
  }

  async fetch(names: readonly string[], directory: string, signal: AbortSignal): Promise<string[]> {
    return Promise.all(
      names.map(async (name) => {
        const path = join(directory, name);
        const from = (at: number): Promise<Readable> => this.stream(this.key(name), at);
        if ((await this.ifThere(() => download(path, from, signal))) !== undefined) return path;
        throw missing(this.url, name);
      }),
    );
  }

  /** In requests of their own, of which each is asked again where it fails. */
  async *content(name: string): AsyncGenerator<Buffer> {
    const size = await this.size(name);
    for (let at = 0; size === undefined || at < size; at += windowSize) {
      const part = size && (await this.readAt(name, at, Math.min(windowSize, size - at)));
      if (!part) throw missing(this.url, name);
      yield part;
    }
  }

  protected key(name: string): string {
    return `${this.#prefix}${name}`;
  }

  protected async ifThere<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      if (this.isMissing(thrown)) return undefined;
      throw refusal(this.url, thrown);
    }
  }

  protected async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (thrown) {
      throw refusal(this.url, thrown);
    }
  }

  async #listed(): Promise<Listing> {
    const { names, below } = await this.asked(() => this.listing(this.#prefix));
    const own = (keys: string[]): string[] =>
      keys.map((key) => key.slice(this.#prefix.length)).filter((name) => name !== "");
    return { names: own(names), below: own(below).map((name) => name.replace(/\/$/, "")) };
  }
}
