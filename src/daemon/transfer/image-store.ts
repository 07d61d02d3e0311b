import {
  closeSync,
  constants,
  fchownSync,
  ftruncateSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readFully, writeFully } from "./file-bytes.js";
import type { FinalFile } from "./segment.js";

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * The directory that images are written to: `<file>` and `<round>/<file>`. Every name was checked by ImageFile.
 * What only touches the page cache is done at once.
 */
export class ImageStore {
  readonly #root: string;
  readonly #directories = new Set<string>();

  /** @param root absolute, exists, writable by nobody but us. */
  constructor(root: string) {
    this.#root = root;
    this.#directories.add(root);
  }

  write(file: string, offset: number, bytes: Buffer): void {
    const path = join(this.#root, file);
    this.#make(dirname(path));
    withFile(path, constants.O_WRONLY | constants.O_CREAT, (fd) => {
      writeFully(fd, bytes, offset);
    });
  }

  /** Fills `into` as far as the file goes; returns the bytes read. */
  read(file: string, offset: number, into: Buffer): number {
    return withFile(join(this.#root, file), constants.O_RDONLY, (fd) => readFully(fd, into, offset));
  }

  /** Gives the files their size and, where one is named, their owner. Creates empty files. */
  finish(files: readonly FinalFile[], owner?: Owner): void {
    for (const { file, size } of files) {
      const path = join(this.#root, file);
      this.#make(dirname(path));
      withFile(path, constants.O_WRONLY | constants.O_CREAT, (fd) => {
        ftruncateSync(fd, size);
        if (owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
      });
    }
  }

  /** Every round's directory, and what was folded of them, with whatever is in it. */
  async removeRounds(): Promise<void> {
    const rounds = readdirSync(this.#root).filter((name) => /^[0-9]/.test(name));
    for (const path of rounds.map((name) => join(this.#root, name))) {
      this.#directories.delete(path);
      await rm(path, { recursive: true, force: true });
    }
  }

  /** Every file of these. */
  giveFiles(directories: readonly string[], { uid, gid }: Owner): void {
    for (const directory of directories) {
      for (const name of readdirSync(join(this.#root, directory)))
        lchownSync(join(this.#root, directory, name), uid, gid);
    }
  }

  /** All of them. */
  giveDirectories(owner: Owner): void {
    const entries = readdirSync(this.#root, { withFileTypes: true });
    const directories = entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(this.#root, name));
    for (const path of [this.#root, ...directories]) {
      withFile(path, constants.O_RDONLY | constants.O_DIRECTORY, (fd) => {
        fchownSync(fd, owner.uid, owner.gid);
      });
    }
  }

  /** O_NOFOLLOW guards the last part of a path only. */
  #make(directory: string): void {
    if (this.#directories.has(directory)) return;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!lstatSync(directory).isDirectory()) throw new Error(`${directory} is no directory`);
    this.#directories.add(directory);
  }
}

function withFile<T>(path: string, flags: number, work: (fd: number) => T): T {
  const fd = openSync(path, flags | constants.O_NOFOLLOW, 0o600);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
