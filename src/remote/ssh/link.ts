import type {
  AcceptConnection,
  Channel,
  Client,
  ClientChannel,
  RejectConnection,
  UNIXConnectionDetails,
} from "ssh2";
import { messageOf } from "../../errors.js";
import { pause } from "../../wait.js";
import { Slots } from "./slots.js";

/** sshd's MaxSessions is 10 unless told otherwise, and counts commands alone, not forwarded connections. */
const sessions = 8;
/** Milliseconds until a command is given up that sshd has no room for. */
const roomWithin = 10_000;
/** Milliseconds until a connection that does not close is cut. */
const closeWithin = 2000;

/** One authenticated SSH connection, and whether it still stands. */
export class Link {
  readonly lost: Promise<string>;
  readonly #client: Client;
  readonly #closed: Promise<void>;
  readonly #sessions = new Slots(sessions);
  readonly #listeners = new Map<string, (channel: ClientChannel) => void>();
  #closing = false;
  #whyLost: string | undefined;
  #error: string | undefined;

  constructor(client: Client) {
    this.#client = client;
    const over = new Promise<void>((resolve) => client.once("close", () => resolve(this.#over())));
    this.#closed = over;
    this.lost = new Promise((resolve) => void over.then(() => this.#closing || resolve(this.#whyLost ?? "")));
    client.on("error", (thrown) => (this.#error ??= thrown.message));
    client.on("unix connection", (details, accept, reject) => this.#accept(details, accept, reject));
  }

  /** Why nothing more goes over it; undefined while it stands. */
  readonly whyLost = (): string | undefined => this.#whyLost;

  /** A channel on which a command runs. Waits its turn; the slot is free again when the channel closes. */
  async openSession(command: string, signal?: AbortSignal): Promise<ClientChannel> {
    const giveBack = await this.#sessions.take(signal);
    try {
      const channel = await this.#openSoon(command, signal);
      return channel.once("close", giveBack);
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
  }

  /** Runs a command whose end nobody waits for, out of turn: what ends others must not wait for them. */
  runAside(command: string): void {
    this.#openSoon(command, undefined).then(
      (channel) => channel.resume().stderr.resume(),
      () => undefined,
    );
  }

  /** A channel to a Unix socket on the other machine. */
  openSocket(socketPath: string): Promise<ClientChannel> {
    return this.#open((done) => this.#client.openssh_forwardOutStreamLocal(socketPath, done));
  }

  /** A channel to a TCP port that the other machine reaches. */
  openPort(host: string, port: number): Promise<ClientChannel> {
    return this.#open((done) => this.#client.forwardOut("127.0.0.1", 0, host, port, done));
  }

  listen(socketPath: string, onChannel: (channel: ClientChannel) => void): Promise<void> {
    this.#listeners.set(socketPath, onChannel);
    return this.#ask((done) => this.#client.openssh_forwardInStreamLocal(socketPath, done)).catch(
      (thrown: unknown) => {
        this.#listeners.delete(socketPath);
        throw thrown;
      },
    );
  }

  async stopListening(socketPath: string): Promise<void> {
    this.#listeners.delete(socketPath);
    if (this.#whyLost !== undefined) return;
    await this.#ask((done) => this.#client.openssh_unforwardInStreamLocal(socketPath, done));
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#client.end();
    const cut = setTimeout(() => this.#client.destroy(), closeWithin);
    if (this.#whyLost === undefined) await this.#closed;
    clearTimeout(cut);
  }

  /**
   * sshd counts a session until it has reaped its command, which may be after it closed the channel: a refusal need not last.
   * What was refused was not begun, so it can be tried again.
   */
  async #openSoon(command: string, signal: AbortSignal | undefined): Promise<ClientChannel> {
    const end = performance.now() + roomWithin;
    for (;;) {
      try {
        return await this.#open((done) => this.#client.exec(command, done));
      } catch (thrown) {
        if (!isRefusal(thrown) || performance.now() > end) throw thrown;
      }
      await pause(50, signal);
    }
  }

  #over(): void {
    this.#whyLost = this.#closing
      ? "the SSH connection was closed"
      : `the SSH connection was lost${because(this.#error)}`;
  }

  #open(
    start: (done: (error: Error | undefined, channel: ClientChannel) => void) => unknown,
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.#begin(reject, () => start((error, channel) => (error ? reject(error) : resolve(channel))));
    });
  }

  #ask(start: (done: (error?: Error | null) => void) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#begin(reject, () => start((error) => (error ? reject(error) : resolve())));
    });
  }

  /** ssh2 throws where the connection is gone already. */
  #begin(reject: (reason: Error) => void, start: () => void): void {
    if (this.#whyLost !== undefined) return reject(new Error(this.#whyLost));
    try {
      start();
    } catch (thrown) {
      reject(new Error(this.#whyLost ?? messageOf(thrown)));
    }
  }

  #accept(details: UNIXConnectionDetails, accept: AcceptConnection<Channel>, reject: RejectConnection): void {
    const listener = this.#listeners.get(details.socketPath);
    if (listener) listener(accept() as ClientChannel);
    else reject();
  }
}

/** ssh2 gives a reason where sshd did not open the channel, and none where anything else went wrong. */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && "reason" in thrown && typeof thrown.reason === "number";
}

function because(error: string | undefined): string {
  return error === undefined ? "" : `: ${error}`;
}
