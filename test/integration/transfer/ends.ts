import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LineKey, Peer, Segment } from "../../../src/daemon/api.js";
import { HttpError } from "../../../src/daemon/refusals.js";
import type { AnswerJson, Answers } from "../../../src/daemon/router.js";
import { bundleHead } from "../../../src/daemon/transfer/bundle.js";
import type { TakeBundle } from "../../../src/daemon/transfer/line/serve.js";
import { createPeerListener } from "../../../src/daemon/transfer/listener.js";
import { openReceiver, type Receiver } from "../../../src/daemon/transfer/receiver.js";
import { receiveSegments } from "../../../src/daemon/transfer/segment-route.js";
import type { Fill } from "../../../src/daemon/transfer/take-body.js";

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
  /** Where it listened before. */
  again?: Peer;
  /** Runs before each bundle is taken; may throw. */
  before?: () => void | Promise<void>;
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
  const take = async (fill: Fill): Promise<void> => {
    await options.before?.();
    return receiver.receive(fill, true);
  };
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    if (request.method === "GET") return receiver.received();
    if (request.url?.endsWith("/line")) return listening.issueLine?.();
    if (request.method === "POST") return { by: "http" };
    await options.before?.();
    await receiveSegments(request, receiver);
    return {};
  };
  const handler: RequestListener = (request, response) => {
    answer(request).then(
      (body) => send(response, 200, body),
      (thrown: unknown) => send(response, ...refusal(thrown)),
    );
    response.on("finish", () => answered.push(`${request.method} ${response.statusCode}`));
  };
  const json: AnswerJson = async (word, body) => {
    answered.push(`line ${word}`);
    if (word === "long") return { status: 200, json: { by: "line", text: "x".repeat(300_000) } };
    if (word === "line") return { status: 200, json: listening.issueLine?.() };
    return word === "echo" ? { status: 200, json: { by: "line", body } } : refusedJson(word);
  };
  const listening = await (transport === "relay"
    ? onSocket(at, handler)
    : onTls({ http: handler, json }, take, options.again));
  const close = async (): Promise<void> => {
    await listening.close();
    await receiver.close();
  };
  return { receiver, peer: listening.peer, answered, close };
}

function refusedJson(word: string): Awaited<ReturnType<AnswerJson>> {
  return { status: 404, json: { error: { code: "NOT_FOUND", message: `nothing is at ${word}` } } };
}

function refusal(thrown: unknown): [number, unknown] {
  const { status, code } = thrown instanceof HttpError ? thrown : { status: 500, code: "INTERNAL" };
  return [status, { error: { code, message: String(thrown) } }];
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

interface Listening {
  peer: Peer;
  issueLine?: () => LineKey;
  close: () => Promise<void>;
}

async function onSocket(at: Scratch, handler: RequestListener): Promise<Listening> {
  const socket = join(at.path, "peer.sock");
  const server = createServer(handler).listen(socket);
  await once(server, "listening");
  return { peer: { transport: "relay", socket }, close: () => closeServer(server) };
}

async function onTls(answers: Answers, take: TakeBundle, again?: Peer): Promise<Listening> {
  const port = again?.transport === "direct" ? again.port : 0;
  const listener = await createPeerListener({ port, host: "127.0.0.1", id, psk, answers, take });
  return { ...listener, peer: { transport: "direct", host: "127.0.0.1", port: listener.port, psk } };
}

/** A bundle of one segment, as it comes. */
export function bundleOf(segment: Segment, bytes: Buffer): Fill {
  const bundle = Buffer.concat([bundleHead([segment]), bytes]);
  return async (into) => bundle.copy(into);
}

export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

export interface Cuttable {
  peer: Peer;
  /** Breaks every connection that is open. */
  cut(): void;
  close(): void;
}

/** A way to a destination, until it is cut; `onBytes` sees what goes through. */
export async function cuttable(
  at: Scratch,
  to: Peer,
  onBytes: (bytes: number, chunk: Buffer) => void,
): Promise<Cuttable> {
  const open = new Set<Socket>();
  const server = createTcpServer((near) => {
    const far = to.transport === "relay" ? connect(to.socket) : connect(to.port, to.host);
    for (const end of [near, far])
      open.add(end.on("error", () => undefined).on("close", () => open.delete(end)));
    near
      .on("data", (chunk) => onBytes(chunk.length, chunk))
      .pipe(far)
      .pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  const socket = join(at.path, "cuttable.sock");
  await once(to.transport === "relay" ? server.listen(socket) : server.listen(0, to.host), "listening");
  const peer =
    to.transport === "relay" ? { ...to, socket } : { ...to, port: (server.address() as AddressInfo).port };
  const cut = (): void => open.forEach((end) => void end.destroy());
  return { peer, cut, close: () => (server.close(), cut()) };
}
