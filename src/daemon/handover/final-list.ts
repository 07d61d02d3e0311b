import { join } from "node:path";
import { FinalRequest } from "../api.js";
import { replaceText } from "../at-once.js";
import { readIfThere } from "../durable.js";

/** What the source said with `final`: in memory, and on disk for the daemon that comes after this one. */
export class FinalList {
  readonly #file: string;
  #request: FinalRequest | undefined;

  /** @param directory the migration's. */
  constructor(directory: string) {
    this.#file = join(directory, "final.json");
  }

  /** Not flushed, as the images are not: what takes the one away takes the other. */
  async keep(request: FinalRequest): Promise<void> {
    await replaceText(this.#file, JSON.stringify(request), 0o600);
    this.#request = request;
  }

  async read(): Promise<FinalRequest> {
    if (this.#request !== undefined) return this.#request;
    const text = await readIfThere(this.#file);
    if (text === undefined) throw new Error("the list of images is gone");
    return FinalRequest.parse(JSON.parse(text));
  }
}
