/** Objects of one image, or of images below it, by their names in its place. What a store says itself is thrown as IMAGE_STORE. */
export interface Store {
  readonly url: string;
  /** Whether its objects are elsewhere: then they go through pipes and come as copies. */
  readonly remote: boolean;
  /** A small object's content; undefined: there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** A part of an object; shorter where that is. Undefined: there is none. */
  readAt(name: string, at: number, length: number): Promise<Buffer | undefined>;
  /** From its beginning to its end. Throws IMAGE_DAMAGED where there is none. */
  content(name: string): AsyncIterable<Buffer>;
  /** Bytes; undefined: there is no such object. */
  size(name: string): Promise<number | undefined>;
  /** Names of what lies here, images below not included. */
  list(): Promise<string[]>;
  /** Names under which images may lie below this one's place. */
  below(): Promise<string[]>;
  /** Replaces a small object as a whole, and resolves when it will outlast a crash. */
  write(name: string, content: string): Promise<void>;
  /** Also of objects that somebody began and did not finish. */
  remove(names: readonly string[]): Promise<void>;
  /** Removes the place itself, where nothing is in it any more. */
  clear(): Promise<void>;
  /**
   * Begins new objects: the store has agreed to take them when this resolves.
   * @param directory of this machine, for what stands between; whoever made it removes it.
   */
  create(names: readonly string[], directory: string): Promise<Upload>;
  /**
   * Paths of this machine under which objects can be read, in the order of their names.
   * @param directory of this machine, where they are copied to where they lie elsewhere.
   */
  fetch(names: readonly string[], directory: string, signal: AbortSignal): Promise<string[]>;
}

/** Objects that are being written. */
export interface Upload {
  /** Paths of this machine under which they are to be written, in the order of their names: each once, from its beginning to its end. */
  readonly paths: readonly string[];
  /** Rejects when the store takes no more; never resolves. */
  readonly failed: Promise<never>;
  /** They were written to their ends: resolves when they will outlast a crash. */
  settle(): Promise<void>;
  /** Nobody writes any more: resolves when nothing of it is under way. */
  abandon(): Promise<void>;
}
