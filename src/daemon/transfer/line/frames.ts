/**
 * A frame: u32 big-endian length of its content, the highest bit set where that is JSON; the content, sealed, and the seal's
 * tag. The head is sealed too.
 */
import type { DecipherOCB } from "node:crypto";
import type { Socket } from "node:net";
import { sumOf } from "../../../sum.js";
import { release } from "../release.js";
import { HttpError } from "../../refusals.js";
import type { Intake, Patience } from "./intake.js";
import { tagSize, type Seal } from "./seal.js";

const headSize = 4;
const jsonBit = 2 ** 31;
/** Bytes that are sealed before the socket is asked to send them: they stay in the processor's cache until it has. */
const stride = 1024 * 1024;
/** Bytes: less goes with what follows. */
const worthwhile = 64 * 1024;

/** Resolves when all of it was handed to the kernel; rejects where the connection breaks before. */
export function sendFrame(socket: Socket, seal: Seal, parts: readonly Buffer[]): Promise<void> {
  return send(socket, seal, parts, 0);
}

/** As `sendFrame`. */
export function sendJson(socket: Socket, seal: Seal, value: object): Promise<void> {
  return send(socket, seal, [Buffer.from(JSON.stringify(value))], jsonBit);
}

async function send(socket: Socket, seal: Seal, parts: readonly Buffer[], kind: number): Promise<void> {
  const head = Buffer.alloc(headSize);
  head.writeUInt32BE(kind + sumOf(parts.map((part) => part.length)));
  const cipher = seal.next(head);
  let ready = [head];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += stride) {
      const more = at + stride < part.length || part !== parts.at(-1);
      ready.push(cipher.update(part.subarray(at, at + stride)));
      if (!more || (ready.at(-1)?.length ?? 0) < worthwhile) continue;
      await write(socket, ready);
      ready = [];
    }
  }
  // What is no whole block comes last.
  await write(socket, [...ready, cipher.final(), cipher.getAuthTag()]);
}

/** In one call of the system, and so in one packet where they are small. */
function write(socket: Socket, parts: readonly Buffer<ArrayBuffer>[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const written = (error?: Error | null): void => {
      parts.forEach(release);
      if (error) reject(error);
      else resolve();
    };
    socket.cork();
    for (const [at, part] of parts.entries())
      socket.write(part, at === parts.length - 1 ? written : undefined);
    socket.uncork();
  });
}

/** A frame whose length has come, but not its content. */
export class Frame {
  readonly isJson: boolean;
  readonly #intake: Intake;
  readonly #opening: DecipherOCB;
  #left: number;
  #broken = false;

  private constructor(intake: Intake, seal: Seal, head: Buffer) {
    this.#intake = intake;
    this.#opening = seal.open(head);
    const word = head.readUInt32BE();
    this.isJson = word >= jsonBit;
    this.#left = (word % jsonBit) + tagSize;
  }

  /** Whether it was begun to be read and did not come whole: what follows it makes no sense. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The next one. Rejects where the connection ends. */
  static async next(intake: Intake, seal: Seal, patience?: Patience): Promise<Frame> {
    return new Frame(intake, seal, await intake.exactly(headSize, patience));
  }

  /**
   * Opens it into a buffer; resolves to its length. Rejects with an HttpError, before it is read, where it is too long,
   * else where it is not what was sent, or the connection is lost.
   */
  async into(buffer: Buffer, patience: Patience): Promise<number> {
    const length = this.#left - tagSize;
    if (length > buffer.length)
      throw new HttpError(413, "TOO_LONG", `a frame has at most ${buffer.length} bytes`);
    this.#left = 0;
    this.#broken = true;
    let at = 0;
    const open = (part: Buffer): void => {
      const opened = this.#opening.update(part);
      at += opened.copy(buffer, at);
      release(opened);
    };
    await this.#intake.read(length, open, patience);
    this.#opening
      .setAuthTag(await this.#intake.exactly(tagSize, patience))
      .final()
      .copy(buffer, at);
    this.#broken = false;
    return length;
  }

  /** Its content, of `longest` bytes at most. Rejects as `into` does, and where it is no JSON. */
  async json(longest: number, patience: Patience): Promise<unknown> {
    const text = Buffer.alloc(Math.min(this.#left - tagSize, longest));
    await this.into(text, patience);
    return JSON.parse(text.toString());
  }

  /** Takes what was not read of it and forgets it: the line can go on only with the next frame. */
  async skip(patience: Patience): Promise<void> {
    const left = this.#left;
    this.#left = 0;
    await this.#intake.read(left, () => undefined, patience);
  }
}
