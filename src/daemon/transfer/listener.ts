import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { once } from "node:events";
import type { LineKey } from "../api.js";
import type { Answers } from "../router.js";
import { Intake } from "./line/intake.js";
import { Lines, type TakeBundle } from "./line/serve.js";
import { pskServerOptions } from "./psk.js";

export interface ListenerOptions {
  port: number;
  /** All addresses unless said otherwise. */
  host?: string;
  /** Hex, 32 bytes, of this migration alone. */
  psk: string;
  /** The migration: the only identity that is let in. */
  id: string;
  /** Over lines a path is the last word of a route's. */
  answers: Answers;
  /** Takes what comes over lines. */
  take: TakeBundle;
}

export interface PeerListener {
  /** The port it listens on: another than asked for where that was 0. */
  port: number;
  /** For a line of the peer, which has asked for it over TLS. */
  issueLine(): LineKey;
  /** Ends every connection too. */
  close(): Promise<void>;
}

/** Milliseconds from a connection to its first byte, and from there to the end of its handshake. */
const patience = 5000;
/** The first byte of everything that is said in TLS before it is encrypted (RFC 8446, 5.1); no token of a line begins so. */
const handshake = 0x16;

/**
 * Listens for the source's daemon of one migration: with TLS, and on the same port for the lines that segments and short
 * questions come over. Rejects with the system's error where the port is taken.
 */
export async function createPeerListener(options: ListenerOptions): Promise<PeerListener> {
  const server = createServer(
    { ...pskServerOptions(options.id, options.psk), handshakeTimeout: patience },
    options.answers.http,
  );
  bound(server);
  const sockets = trackSockets(server);
  const lines = new Lines(options.take, options.answers.json);
  sort(server, (socket, first) => lines.serve(Intake.takeOver(socket, first)));
  server.listen(options.port, options.host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    issueLine: () => lines.issue(),
    close: () => close(server, sockets),
  };
}

/** Hands connections that do not begin with a TLS handshake to `begin`, with what has come over them. */
function sort(server: Server, begin: (socket: Socket, first: Buffer) => Promise<void>): void {
  const [shake] = server.listeners("connection") as [(socket: Socket) => void];
  server.off("connection", shake).on("connection", (socket: Socket) => {
    const slow = setTimeout(() => socket.destroy(), patience);
    socket.on("error", () => socket.destroy()).on("close", () => clearTimeout(slow));
    socket.once("data", (first: Buffer) => {
      clearTimeout(slow);
      socket.pause();
      // Node has not ended with this read yet.
      if (first[0] !== handshake) process.nextTick(begin, socket, first);
      else shake.call(server, (socket.unshift(first), socket));
    });
  });
}

/** Few connections, as one source makes them, and no limit on how long an answer takes: a restore takes its time. */
function bound(server: Server): void {
  server.maxConnections = 16;
  server.headersTimeout = 10_000;
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
}

/** The server itself forgets connections whose handshake is not done, and would wait for them when it closes. */
function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return sockets;
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
  });
}
