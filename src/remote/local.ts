import { readFile, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { hostname, userInfo } from "node:os";
import type { Duplex } from "node:stream";
import type { Argv } from "../argv.js";
import { messageOf } from "../errors.js";
import { startLocally } from "./local-process.js";
import type { ExecOptions, Node, Outcome, RemoteProcess } from "./node.js";
import { abortedBy, collect, neverRan, streaming } from "./running.js";
import { socketRefused } from "./socket-error.js";
import { withSudo } from "./sudo.js";

export interface LocalNodeOptions {
  name: string;
  address: string;
  identity: string;
  sudo: boolean;
}

/** This machine. */
export class LocalNode implements Node {
  readonly name: string;
  readonly address: string;
  readonly identity: string;
  readonly user = userInfo().username;
  readonly lost = new Promise<string>(() => undefined);
  readonly #sudo: boolean;
  readonly #servers = new Set<Server>();
  readonly #sockets = new Set<Socket>();

  constructor(options: LocalNodeOptions) {
    this.name = options.name;
    this.address = options.address;
    this.identity = options.identity;
    this.#sudo = options.sudo;
  }

  async exec(argv: Argv, options: ExecOptions = {}): Promise<Outcome> {
    const aborted = abortedBy(options.signal);
    if (aborted !== undefined) return neverRan(aborted);
    return collect(startLocally(this.#as(argv, options)), options);
  }

  async spawn(argv: Argv, options: Pick<ExecOptions, "signal" | "asLoginUser"> = {}): Promise<RemoteProcess> {
    options.signal?.throwIfAborted();
    return Promise.resolve(streaming(startLocally(this.#as(argv, options)), options));
  }

  connect(socketPath: string, signal?: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const socket = this.#keep(createConnection({ path: socketPath, allowHalfOpen: true }));
      const stop = (): void => void socket.destroy(signal?.reason as Error);
      const fail = (cause: Error): void =>
        reject(signal?.aborted ? cause : socketRefused(this.name, socketPath, cause));
      signal?.addEventListener("abort", stop, { once: true });
      socket.once("error", fail);
      socket.once("connect", () => {
        signal?.removeEventListener("abort", stop);
        socket.off("error", fail);
        resolve(socket);
      });
    });
  }

  async listen(socketPath: string, onConnection: (stream: Duplex) => void): Promise<() => Promise<void>> {
    await rm(socketPath, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(this.#keep(socket)));
    await listening(server, socketPath);
    this.#servers.add(server);
    return () => this.#stopListening(server);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#servers].map((server) => this.#stopListening(server)));
  }

  #as(argv: Argv, options: Pick<ExecOptions, "asLoginUser">): Argv {
    return this.#sudo && !options.asLoginUser ? withSudo(argv) : argv;
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    return socket.once("close", () => this.#sockets.delete(socket));
  }

  async #stopListening(server: Server): Promise<void> {
    if (!this.#servers.delete(server)) return;
    // Connections that are open stay open: they are their owner's.
    server.close();
    await Promise.resolve();
  }
}

/** The local node under a name, known by its machine id. */
export async function localNode(name: string, address = hostname(), sudo = false): Promise<LocalNode> {
  return new LocalNode({ name, address, sudo, identity: await machineId() });
}

async function machineId(): Promise<string> {
  try {
    return (await readFile("/etc/machine-id", "utf8")).trim();
  } catch (thrown) {
    return `no machine id: ${messageOf(thrown)}`;
  }
}

function listening(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
