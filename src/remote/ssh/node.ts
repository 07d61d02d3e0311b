import type { Duplex } from "node:stream";
import type { ClientChannel } from "ssh2";
import type { Argv } from "../../argv.js";
import { messageOf } from "../../errors.js";
import type { ExecOptions, Node, Outcome, RemoteProcess } from "../node.js";
import { abortedBy, collect, neverRan, streaming } from "../running.js";
import type { Running } from "../running.js";
import { socketRefused } from "../socket-error.js";
import { withSudo } from "../sudo.js";
import { ChannelStream } from "./channel-stream.js";
import type { Connection } from "./dial.js";
import type { Link } from "./link.js";
import { remoteCommand, runningOn } from "./process.js";

export interface SshNodeOptions {
  name: string;
  address: string;
  sudo: boolean;
}

/** A machine reached by SSH, over one connection for everything. */
export class SshNode implements Node {
  readonly name: string;
  readonly address: string;
  readonly identity: string;
  readonly user: string;
  readonly lost: Promise<string>;
  readonly #sudo: boolean;
  readonly #link: Link;
  readonly #connection: Connection;

  constructor(connection: Connection, options: SshNodeOptions) {
    this.name = options.name;
    this.address = options.address;
    this.identity = connection.fingerprint;
    this.user = connection.user;
    this.#sudo = options.sudo;
    this.#link = connection.link;
    this.#connection = connection;
    this.lost = connection.link.lost;
  }

  async exec(argv: Argv, options: ExecOptions = {}): Promise<Outcome> {
    try {
      const running = await this.#start(argv, options);
      return await collect(running, options);
    } catch (thrown) {
      return neverRan(abortedBy(options.signal) ?? messageOf(thrown));
    }
  }

  async spawn(argv: Argv, options: Pick<ExecOptions, "signal" | "asLoginUser"> = {}): Promise<RemoteProcess> {
    return streaming(await this.#start(argv, options), options);
  }

  async connect(socketPath: string, signal?: AbortSignal): Promise<Duplex> {
    signal?.throwIfAborted();
    try {
      const stream = this.#stream(await this.#link.openSocket(socketPath));
      if (!signal?.aborted) return stream;
      stream.destroy();
    } catch (thrown) {
      throw socketRefused(this.name, socketPath, thrown);
    }
    throw signal.reason as Error;
  }

  async listen(socketPath: string, onConnection: (stream: Duplex) => void): Promise<() => Promise<void>> {
    // sshd removes a stale socket only where it is told to.
    await this.#removeSocket(socketPath);
    await this.#link
      .listen(socketPath, (channel) => onConnection(this.#stream(channel)))
      .catch((thrown: unknown) => {
        throw socketRefused(this.name, socketPath, thrown);
      });
    let stopped: Promise<void> | undefined;
    return () => (stopped ??= this.#stopListening(socketPath));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #start(argv: Argv, options: Pick<ExecOptions, "signal" | "asLoginUser">): Promise<Running> {
    const asRoot = this.#sudo && !options.asLoginUser;
    const as = (words: Argv): string => remoteCommand(asRoot ? withSudo(words) : words);
    const channel = await this.#link.openSession(as(argv), options.signal);
    const kill = (group: number, signal: string): void =>
      this.#link.runAside(as(["sh", "-c", `kill -${signal} -${group}`]));
    return runningOn(channel, { whyLost: this.#link.whyLost, kill });
  }

  #stream(channel: ClientChannel): ChannelStream {
    return new ChannelStream(channel, this.#link.whyLost);
  }

  /** Where sshd does not let go of the socket, its removal does: nobody finds it any more. */
  async #stopListening(socketPath: string): Promise<void> {
    await this.#link.stopListening(socketPath).catch(() => undefined);
    await this.#removeSocket(socketPath);
  }

  async #removeSocket(socketPath: string): Promise<void> {
    await this.exec(["rm", "-f", "--", socketPath], { asLoginUser: true });
  }
}
