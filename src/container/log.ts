/** FastFreeze's log lines: on stderr, and of `run` and `checkpoint` in a file of their own. */
import { randomInt } from "node:crypto";
import { appendFileSync } from "node:fs";
import { chmod, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { messageOf } from "../errors.js";
import type { Fields, Log } from "../daemon/log.js";
import { logDirectory } from "./paths.js";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Six letters and digits: in the log's name, and with every metric. */
export const invocationId = Array.from({ length: 6 }, () => alphabet[randomInt(alphabet.length)]).join("");

/** Seconds since this program began. */
export const elapsed = (): number => performance.now() / 1000;

export class Speech {
  readonly #verb: string;
  readonly #verbose: boolean;
  #file: string | undefined;

  constructor(verb: string, verbose: number) {
    this.#verb = verb;
    this.#verbose = verbose > 0;
  }

  /** Writes from now on into a file too, and says who and where this is. A directory that nobody may write to is no reason to stop. */
  async intoFile(): Promise<void> {
    try {
      await mkdir(logDirectory, { recursive: true });
      // Where it is another's, that one has done so.
      await chmod(logDirectory, 0o1777).catch(() => undefined);
      const time = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
      const file = join(logDirectory, `ff-${time}-${this.#verb}-${invocationId}.log`);
      appendFileSync(file, "");
      this.#file = file;
    } catch (thrown) {
      this.say(`There will be no log file: ${messageOf(thrown)}`);
    }
    this.say(`Time is ${new Date().toUTCString().replace("GMT", "+0000")}`);
    this.say(`Host is ${hostname()}`);
    this.say(`Invocation ID is ${invocationId}`);
  }

  say(message: string): void {
    const line = this.#line(message);
    process.stderr.write(line);
    this.#keep(line);
  }

  /** On stderr with `-v` only. */
  whisper(message: string): void {
    const line = this.#line(message);
    if (this.#verbose) process.stderr.write(line);
    this.#keep(line);
  }

  /** What the daemon has to say. */
  get log(): Log {
    const write = (message: string, fields: Fields = {}): void =>
      this.whisper([message, JSON.stringify(fields)].filter((part) => part !== "{}").join(" "));
    return { info: write, error: write };
  }

  #line(message: string): string {
    return `[ff.${this.#verb}] (${elapsed().toFixed(3)}s) ${message}\n`;
  }

  #keep(line: string): void {
    if (this.#file === undefined) return;
    try {
      appendFileSync(this.#file, line);
    } catch {
      this.#file = undefined;
    }
  }
}
