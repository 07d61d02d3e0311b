import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { RedisError, type Reply, takeReply } from "./redis-protocol.js";

type Waiting = { resolve: (reply: Reply) => void; reject: (reason: unknown) => void };

/** A connection to Redis that sends at once and answers in order. */
export class RedisConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (reason) => this.#end(reason));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
  }

  /** Rejects when nobody accepts before the signal, and ends the connection when it aborts later. */
  static async open(address: string, signal: AbortSignal): Promise<RedisConnection> {
    const colon = address.lastIndexOf(":");
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
    });
    try {
      await once(socket, "connect", { signal });
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
    return new RedisConnection(socket);
  }

  get closed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends all commands in one write. Rejects with the first error that Redis answers. */
  async all(commands: readonly (readonly string[])[]): Promise<Reply[]> {
    if (this.closed) throw new Error("the connection was closed");
    const replies = commands.map(
      () => new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject })),
    );
    this.#socket.write(commands.map(encode).join(""));
    return Promise.all(replies);
  }

  async send(...command: string[]): Promise<Reply> {
    const [reply = null] = await this.all([command]);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
    this.#end(new Error("the connection was closed"));
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    let at = 0;
    for (;;) {
      const taken = takeReply(this.#received, at);
      if (taken === undefined) break;
      at = taken.next;
      const waiting = this.#waiting.shift();
      if (taken.reply instanceof RedisError) waiting?.reject(taken.reply);
      else waiting?.resolve(taken.reply);
    }
    this.#received = this.#received.subarray(at);
  }

  #end(reason: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}
