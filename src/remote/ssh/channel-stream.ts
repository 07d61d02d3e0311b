import { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";

/** Bytes buffered each way on top of SSH's own window of 2 MiB. */
const highWaterMark = 256 * 1024;

/**
 * An ssh2 channel as a well-behaved stream. ssh2's own neither fails nor ends a write when the link dies, has no `destroyed`,
 * and lacks the methods of a socket that undici calls.
 */
export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  readonly #whyLost: () => string | undefined;
  /** Of the write that waits for SSH's window. */
  #written: ((error?: Error | null) => void) | undefined;

  constructor(channel: ClientChannel, whyLost: () => string | undefined) {
    // A command's exit status comes after both directions have ended: only the channel's own close destroys the stream.
    super({ allowHalfOpen: true, autoDestroy: false, highWaterMark });
    this.#channel = channel;
    this.#whyLost = whyLost;
    channel.on("data", (chunk: Buffer) => this.push(chunk) || channel.pause());
    channel.on("end", () => this.#ended());
    channel.on("close", () => this.#closed());
    channel.on("error", (thrown: Error) => this.destroy(thrown));
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#written = done;
    this.#channel.write(chunk, encoding, (error) => this.#settle(error));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What still arrives is thrown away, so that the channel can close.
    this.#channel.removeAllListeners("data");
    this.#channel.resume();
    this.#channel.destroy();
    // ssh2 forgets the writes of a channel that is gone.
    this.#settle(error ?? new Error("the connection was closed"));
    done(error);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  #settle(error: Error | null | undefined): void {
    const done = this.#written;
    this.#written = undefined;
    done?.(error);
  }

  #ended(): void {
    const lost = this.#whyLost();
    if (lost === undefined) this.push(null);
    else this.destroy(new Error(lost));
  }

  /** Both directions are shut: what has not been written by now never will be. */
  #closed(): void {
    const lost = this.#whyLost();
    if (lost !== undefined) this.destroy(new Error(lost));
    else if (this.writableLength > 0) this.destroy(new Error("the other side closed the connection"));
    else if (this.readableEnded) this.destroy();
    else this.once("end", () => this.destroy());
  }
}
