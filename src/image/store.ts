import { FileStore } from "./file-store.js";
import type { ImageUrl } from "./url.js";

/** Objects of one image, or of images below it, by their names in its directory. */
export interface Store {
  readonly url: string;
  /** A small object's content; undefined: there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** A part of an object; shorter where that is. Undefined: there is none. */
  readAt(name: string, at: number, length: number): Promise<Buffer | undefined>;
  /** Bytes; undefined: there is no such object. */
  size(name: string): Promise<number | undefined>;
  /** Names of what lies here, images below not included. */
  list(): Promise<string[]>;
  /** Names under which images may lie below this one's place. */
  below(): Promise<string[]>;
  /** Replaces a small object as a whole, and resolves when it will outlast a crash. */
  write(name: string, content: string): Promise<void>;
  remove(names: readonly string[]): Promise<void>;
  /** Removes the place itself, where nothing is in it any more. */
  clear(): Promise<void>;
  /** Paths of this machine under which new objects can be written, in the order of their names. */
  create(names: readonly string[]): Promise<string[]>;
  /** Resolves when what was written there will outlast a crash. */
  settle(names: readonly string[]): Promise<void>;
  /** Paths of this machine under which objects can be read. */
  fetch(names: readonly string[]): Promise<string[]>;
}

export function openStore(url: ImageUrl): Store {
  return new FileStore(url.path);
}
