import type { RequestListener, Server } from "node:http";
import { createServer } from "node:https";
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
  server.listen(options.port, options.host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: () => close(server),
  };
}

/** Few connections, as one source makes them, and no limit on how long an answer takes: a restore takes its time. */
function bound(server: Server): void {
  server.maxConnections = 16;
  server.headersTimeout = 10_000;
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
