import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";

/** What the line begins with that a remote command's process id stands on. */
export const pidMark = "fastmig-pid:";

/** Bytes in which the line must come; what a login shell's start files say may come before it. */
const within = 64 * 1024;
const line = new RegExp(`^${pidMark}(\\d+)\\n`, "m");

/** Standard error without the line that tells the process id. */
export class PidLine extends Transform {
  /** Never resolves where no such line came. */
  readonly pid: Promise<number>;
  #told: (pid: number) => void = () => undefined;
  #held: Buffer | undefined = Buffer.alloc(0);

  constructor() {
    super();
    this.pid = new Promise((resolve) => (this.#told = resolve));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#held === undefined) return done(null, chunk);
    this.#held = Buffer.concat([this.#held, chunk]);
    const match = line.exec(this.#held.toString("latin1"));
    if (match) this.#found(this.#held, match);
    else if (this.#held.length > within) this.#release(this.#held);
    done();
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held);
  }

  #found(held: Buffer, match: RegExpExecArray): void {
    this.#told(Number(match[1]));
    this.#release(
      Buffer.concat([held.subarray(0, match.index), held.subarray(match.index + match[0].length)]),
    );
  }

  #release(rest: Buffer): void {
    this.#held = undefined;
    this.push(rest);
  }
}
