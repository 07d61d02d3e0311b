import { connect, Socket, type OnReadOpts, type SocketConstructorOpts } from "node:net";

/** A line may be idle for as long as a round is dumped: whoever is between must not forget it. */
const lively = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 };
/** Bytes that are taken from the kernel at a time at most: where segments come, and where only answers do. */
const reach = { segments: 512 * 1024, answers: 16 * 1024 };

export interface Patience {
  /** Milliseconds without a byte after which the line counts as lost; none: it may be silent for ever. */
  silence?: number;
  signal?: AbortSignal;
}

interface Reading {
  left: number;
  sink: (part: Buffer) => void;
  end: (failure?: Error) => void;
}

/** What comes over a connection, in the lengths that are asked for; in between nothing is taken from it. */
export class Intake {
  readonly socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #reading: Reading | undefined;
  #broken: Error | undefined;

  private constructor(reach: number, open: (onread: OnReadOpts) => Socket) {
    const buffer = Buffer.allocUnsafeSlow(reach);
    const callback = (length: number): boolean => {
      this.#take(buffer.subarray(0, length));
      return this.#reading !== undefined;
    };
    this.socket = open({ buffer, callback })
      .on("error", (error) => this.#break(error))
      .on("close", () => this.#break(new Error("the connection broke")))
      .pause();
  }

  static connect(peer: { host: string; port: number }): Intake {
    return new Intake(reach.answers, (onread) => connect({ ...peer, ...lively, onread }));
  }

  /**
   * Goes on with what a server has accepted, from `first` on. Of an accepted socket Node reads 64 KB at a time, with an event
   * for each; no option of the server's changes that. So one is made anew around its handle, as Node itself makes it: neither
   * name is in Node's documents. The accepted one stays, as what the server counts and closes: each ends with the other.
   */
  static takeOver(accepted: Socket, first: Buffer): Intake {
    const old = accepted as { _handle?: unknown };
    const options = { handle: old._handle } as SocketConstructorOpts;
    const intake = new Intake(reach.segments, (onread) => new Socket({ ...options, onread }));
    old._handle = null;
    accepted.once("close", () => intake.socket.destroy());
    intake.socket.once("close", () => accepted.destroy());
    intake.#rest = first;
    return intake;
  }

  /**
   * Hands the next `length` bytes to `sink` as they come; a part is gone once `sink` has returned. Rejects where the
   * connection breaks, falls silent or the signal aborts: it is of no use after that, and destroyed.
   */
  read(length: number, sink: (part: Buffer) => void, { silence, signal }: Patience = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch = silence && setTimeout(() => fail(new Error(`no byte for ${silence} ms`)), silence);
      const stop = (): void => fail(signal?.reason as Error);
      const settle = (): void => {
        this.#reading = undefined;
        if (watch) clearTimeout(watch);
        signal?.removeEventListener("abort", stop);
      };
      const fail = (reason: Error): void => {
        settle();
        this.socket.destroy();
        reject(reason);
      };
      const seen = (part: Buffer): void => {
        if (watch) watch.refresh();
        sink(part);
      };
      if (signal?.aborted || this.#broken) return fail((signal?.reason ?? this.#broken) as Error);
      signal?.addEventListener("abort", stop, { once: true });
      const end = (failure?: Error): void => (failure ? fail(failure) : (settle(), resolve()));
      this.#reading = { left: length, sink: seen, end };
      this.#go();
    });
  }

  async exactly(length: number, patience?: Patience): Promise<Buffer> {
    const whole = Buffer.alloc(length);
    let at = 0;
    await this.read(length, (part) => (at += part.copy(whole, at)), patience);
    return whole;
  }

  #go(): void {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#take(rest);
    if (this.#reading !== undefined) this.socket.resume();
  }

  #take(chunk: Buffer): void {
    const reading = this.#reading;
    const part = chunk.subarray(0, reading?.left ?? 0);
    if (chunk.length > part.length) this.#rest = chunk.subarray(part.length);
    if (reading === undefined) return;
    reading.left -= part.length;
    try {
      reading.sink(part);
    } catch (thrown) {
      return reading.end(thrown as Error);
    }
    if (reading.left === 0) reading.end();
  }

  #break(reason: Error): void {
    this.#broken ??= reason;
    this.#reading?.end(this.#broken);
  }
}
