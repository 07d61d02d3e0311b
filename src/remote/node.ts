import type { Duplex, Readable } from "node:stream";
import type { Argv } from "../argv.js";

/** How a command on a node ended. A lost link is never a success. */
export type Outcome = { stdout: string; stderr: string } & (
  { kind: "exited"; code: number } | { kind: "signaled"; signal: string } | { kind: "lost"; reason: string }
);

export interface ExecOptions {
  stdin?: string | Buffer | Readable;
  signal?: AbortSignal;
  /** Milliseconds; when it is over the command is ended and the outcome is `lost`. */
  timeout?: number;
  /** Run as the login user even where the node says `sudo: true`. */
  asLoginUser?: boolean;
}

/** A running command whose standard input and output are streams. */
export interface RemoteProcess {
  stdin: NodeJS.WritableStream;
  stdout: Readable;
  outcome: Promise<Outcome>;
}

/** A machine that containers run on. Back ends: SSH, this machine, a recording one for dry runs and tests. */
export interface Node {
  /** The plan's name for it. */
  readonly name: string;
  /** Whom commands run as where sudo does not come in. */
  readonly user: string;
  /** Where other nodes reach it: a host name or an address. */
  readonly address: string;
  /** Fingerprints of the host keys that were verified, or the machine id of a local node: equal for the same machine. */
  readonly identity: string;
  /** Resolves to the reason once the way to the node is gone without `close()`; a local node's never is. */
  readonly lost: Promise<string>;
  exec(argv: Argv, options?: ExecOptions): Promise<Outcome>;
  spawn(argv: Argv, options?: Pick<ExecOptions, "signal" | "asLoginUser">): Promise<RemoteProcess>;
  /** A connection to a Unix socket on the node (stream-local forwarding). */
  connect(socketPath: string, signal?: AbortSignal): Promise<Duplex>;
  /** Listens on a Unix socket on the node; every connection to it is handed over. Resolves to what ends the listening. */
  listen(socketPath: string, onConnection: (stream: Duplex) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}
