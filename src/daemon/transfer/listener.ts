import type { RequestListener, Server } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { once } from "node:events";
import { pskServerOptions } from "./psk.js";

export interface ListenerOptions {
  port: number;
  /** All addresses unless said otherwise. */
  host?: string;
  /** Hex, 32 bytes, of this migration alone. */
  psk: string;
  /** The migration: the only identity that is let in. */
  id: string;
  handler: RequestListener;
}

export interface PeerListener {
  /** The port it listens on: another than asked for where that was 0. */
  port: number;
  /** Ends every connection too. */
  close(): Promise<void>;
}

/** Listens with TLS for the source's daemon of one migration. Rejects with the system's error where the port is taken. */
export async function createPeerListener(options: ListenerOptions): Promise<PeerListener> {
  const server = createServer(
    { ...pskServerOptions(options.id, options.psk), handshakeTimeout: 5000 },
    options.handler,
  );
  bound(server);
  const shaking = trackSockets(server);
  server.listen(options.port, options.host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () => close(server, shaking),
  };
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
