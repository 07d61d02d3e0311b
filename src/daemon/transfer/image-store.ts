import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FinalFile } from "./segment.js";

/** The directory that images are written to: `<file>` and `<round>/<file>`. Every name was checked by ImageFile. */
export class ImageStore {
  readonly #root: string;

  /** @param root absolute, exists, writable by nobody but us. */
  constructor(root: string) {
    this.#root = root;
  }

  async write(file: string, offset: number, bytes: Buffer): Promise<void> {
    await this.#within(file, async (handle) => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    });
  }

  /** Fills `into` as far as the file goes; resolves to the bytes read. */
  async read(file: string, offset: number, into: Buffer): Promise<number> {
    const handle = await open(join(this.#root, file), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return await readFully(handle, into, offset);
    } finally {
      await handle.close();
    }
  }

  /** Gives the file its size, and it and its directory their owner. Creates empty files. */
  async finish({ file, size }: FinalFile, owner: { uid: number; gid: number }): Promise<void> {
    await this.#within(file, async (handle) => {
      await handle.truncate(size);
      await handle.chown(owner.uid, owner.gid);
    });
  }

  /** The directories of images, the root among them, are the owner's. */
  async giveDirectories(owner: { uid: number; gid: number }): Promise<void> {
    const entries = await readdir(this.#root, { withFileTypes: true });
    const directories = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(this.#root, name));
    for (const path of [this.#root, ...directories]) await chownDirectory(path, owner);
  }

  async #within<T>(file: string, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    const path = join(this.#root, file);
    await this.#directoryOf(path);
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      return await work(handle);
    } finally {
      await handle.close();
    }
  }

  /** O_NOFOLLOW guards the last part of a path only. */
  async #directoryOf(path: string): Promise<void> {
    const directory = dirname(path);
    if (directory === this.#root) return;
    await mkdir(directory, { mode: 0o700 }).catch(unless("EEXIST"));
    if (!(await lstat(directory)).isDirectory()) throw new Error(`${directory} is no directory`);
  }
}

export async function readFully(handle: FileHandle, into: Buffer, offset: number): Promise<number> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await handle.read(into, done, into.length - done, offset + done);
    if (bytesRead === 0) return done;
    done += bytesRead;
  }
  return into.length;
}

async function chownDirectory(path: string, owner: { uid: number; gid: number }): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await handle.chown(owner.uid, owner.gid);
  } finally {
    await handle.close();
  }
}

function unless(code: string): (thrown: NodeJS.ErrnoException) => void {
  return (thrown) => {
    if (thrown.code !== code) throw thrown;
  };
}
