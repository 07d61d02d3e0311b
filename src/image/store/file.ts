import { constants } from "node:fs";
import { lstat, mkdir, open, readFile, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { missing } from "../errors.js";
import type { Store, Upload } from "./store.js";

/** A memory image holds every secret of its service. */
const directoryMode = 0o700;
const fileMode = 0o600;

export class FileStore implements Store {
  readonly url: string;
  readonly remote = false;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.url = `file:${path}`;
  }

  read(name: string): Promise<Buffer | undefined> {
    return orMissing(readFile(this.#at(name)));
  }

  async readAt(name: string, at: number, length: number): Promise<Buffer | undefined> {
    const file = await orMissing(open(this.#at(name), constants.O_RDONLY));
    try {
      const { buffer, bytesRead } = (await file?.read(Buffer.alloc(length), 0, length, at)) ?? {};
      return buffer?.subarray(0, bytesRead);
    } finally {
      await file?.close();
    }
  }

  async *content(name: string): AsyncGenerator<Buffer> {
    const file = await orMissing(open(this.#at(name), constants.O_RDONLY));
    if (file === undefined) throw missing(this.url, name);
    yield* file.createReadStream() as AsyncIterable<Buffer>;
  }

  async size(name: string): Promise<number | undefined> {
    const about = await orMissing(lstat(this.#at(name)));
    return about?.isFile() === true ? about.size : undefined;
  }

  async list(): Promise<string[]> {
    const entries = (await orMissing(readdir(this.#path, { withFileTypes: true }))) ?? [];
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  async below(): Promise<string[]> {
    const entries = (await orMissing(readdir(this.#path, { withFileTypes: true }))) ?? [];
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  async write(name: string, content: string): Promise<void> {
    const temporary = `${this.#at(name)}.part`;
    const file = await open(temporary, "w", fileMode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#at(name));
    await flush(this.#path);
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(this.#at(name), { force: true });
  }

  async clear(): Promise<void> {
    await rmdir(this.#path).catch(() => undefined);
  }

  async create(names: readonly string[]): Promise<Upload> {
    await mkdir(this.#path, { recursive: true, mode: directoryMode });
    const paths = names.map((name) => this.#at(name));
    for (const path of paths) await (await open(path, "wx", fileMode)).close();
    return {
      paths,
      failed: new Promise(() => undefined),
      settle: async () => {
        await Promise.all(paths.map(flush));
        await flush(this.#path);
      },
      abandon: () => Promise.resolve(),
    };
  }

  fetch(names: readonly string[]): Promise<string[]> {
    return Promise.resolve(names.map((name) => this.#at(name)));
  }

  #at(name: string): string {
    return join(this.#path, name);
  }
}

async function flush(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw thrown;
  }
}
