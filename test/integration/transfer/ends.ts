import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Peer } from "../../../src/daemon/api.js";
import { HttpError } from "../../../src/daemon/refusals.js";
import { createPeerListener } from "../../../src/daemon/transfer/listener.js";
import { openReceiver, type Receiver } from "../../../src/daemon/transfer/receiver.js";
import { receiveSegment } from "../../../src/daemon/transfer/segment-route.js";

export const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
export const psk = "5e".repeat(32);
export const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A scratch directory with a directory for either end's images. */
export interface Scratch {
  path: string;
  source: string;
  destination: string;
  remove(): void;
}

export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "fastmig-transfer-"));
  const [source, destination] = [join(path, "source"), join(path, "destination")];
  for (const directory of [source, destination]) mkdirSync(directory, { mode: 0o700 });
  mkdirSync(join(source, "final"));
  return { path, source, destination, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Destination {
  receiver: Receiver;
  peer: Peer;
  /** Requests that were answered, as `METHOD status`. */
  answered: string[];
  close(): Promise<void>;
}

export interface DestinationOptions {
  maxTotal?: number;
  silence?: number;
  /** Runs before each segment is taken; may throw. */
  before?: (request: IncomingMessage) => void | Promise<void>;
}

/** The destination's half with the two routes that the transfer needs: on a Unix socket, or with TLS. */
export async function destination(
  at: Scratch,
  transport: Peer["transport"],
  options: DestinationOptions = {},
): Promise<Destination> {
  const { maxTotal = 1e9, silence } = options;
  const receiver = await openReceiver({
    directory: at.destination,
    journal: join(at.path, "segments"),
    maxTotal,
    silence,
  });
  const answered: string[] = [];
  const handler: RequestListener = (request, response) => {
    answer(request, receiver, options).then(
      (body) => send(response, 200, body),
      (thrown: unknown) => send(response, ...refusal(thrown)),
    );
    response.on("finish", () => answered.push(`${request.method} ${response.statusCode}`));
  };
  const { peer, close } = await (transport === "relay" ? onSocket(at, handler) : onTls(handler));
  const closeAll = async (): Promise<void> => {
    await close();
    await receiver.close();
  };
  return { receiver, peer, answered, close: closeAll };
}

async function answer(
  request: IncomingMessage,
  receiver: Receiver,
  options: DestinationOptions,
): Promise<unknown> {
  await options.before?.(request);
  if (request.method === "GET") return receiver.received();
  await receiveSegment(request, new URL(request.url ?? "", "http://peer").searchParams, receiver);
  return {};
}

function refusal(thrown: unknown): [number, unknown] {
  const { status, code } = thrown instanceof HttpError ? thrown : { status: 500, code: "INTERNAL" };
  return [status, { error: { code, message: String(thrown) } }];
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function onSocket(
  at: Scratch,
  handler: RequestListener,
): Promise<{ peer: Peer; close: () => Promise<void> }> {
  const socket = join(at.path, "peer.sock");
  const server = createServer(handler).listen(socket);
  await once(server, "listening");
  return { peer: { transport: "relay", socket }, close: () => closeServer(server) };
}

async function onTls(handler: RequestListener): Promise<{ peer: Peer; close: () => Promise<void> }> {
  const { port, close } = await createPeerListener({ port: 0, host: "127.0.0.1", id, psk, handler });
  return { peer: { transport: "direct", host: "127.0.0.1", port, psk }, close };
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export interface Cuttable {
  socket: string;
  /** Breaks every connection that is open. */
  cut(): void;
  close(): void;
}

/** A Unix socket that pipes to another one, until it is cut; `onBytes` sees what goes through. */
export async function cuttable(at: Scratch, to: string, onBytes: (bytes: number) => void): Promise<Cuttable> {
  const socket = join(at.path, "cuttable.sock");
  const open = new Set<Socket>();
  const server = createTcpServer((near) => {
    const far = connect(to);
    for (const end of [near, far])
      open.add(end.on("error", () => undefined).on("close", () => open.delete(end)));
    near
      .on("data", (chunk) => onBytes(chunk.length))
      .pipe(far)
      .pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  }).listen(socket);
  await once(server, "listening");
  const cut = (): void => open.forEach((end) => void end.destroy());
  return { socket, cut, close: () => (server.close(), cut()) };
}
