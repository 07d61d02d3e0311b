import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type * as z from "zod/mini";
import {
  digestsOf,
  LineKey,
  PeerState,
  Received,
  type FinalRequest,
  type Peer,
  type ReleaseProof,
  type Segment,
} from "../api.js";
import { bundleHead } from "./bundle.js";
import { digestOf } from "./digest.js";
import { TransferError } from "./errors.js";
import { asked, exchange, type Answer, type Question, type Target } from "./exchange.js";
import { LinePool } from "./line/client.js";
import type { Piece } from "./piece-queue.js";
import { pskClientOptions } from "./psk.js";

/** The destination's daemon, as the source's sees it. Every method rejects with a TransferError, or with the signal's reason. */
export interface PeerClient {
  /**
   * Sends the bytes of one segment, or of many small ones, one after the other; resolves once the peer has verified
   * them, with their digests. `bytes` may be used again after that, and after a rejection.
   */
  put(pieces: readonly Piece[], bytes: Buffer, signal: AbortSignal): Promise<Segment[]>;
  /** Answers when the tree is prepared or has failed: no time limit but the signal's. */
  final(body: FinalRequest, signal: AbortSignal): Promise<PeerState>;
  /** Answers when the tree runs: no time limit but the signal's. */
  released(body: ReleaseProof, signal: AbortSignal): Promise<PeerState>;
  aborted(signal: AbortSignal): Promise<PeerState>;
  received(signal: AbortSignal): Promise<Received>;
  /** Any other route below `/peer/{id}/`; the answer is checked by the schema. */
  post<T>(route: string, body: unknown, answer: z.ZodMiniType<T>, signal: AbortSignal): Promise<T>;
  /** Ends every connection; what is under way is lost. */
  close(): void;
}

export interface ConnectOptions {
  /** The migration. */
  id: string;
  /** At most so many connections at a time. */
  connections?: number;
  /** Milliseconds without a byte either way after which a segment or a short question counts as lost. */
  silence?: number;
}

/** Connects when first asked something; a broken connection is replaced at the next question. */
export function connectPeer(peer: Peer, options: ConnectOptions): PeerClient {
  const silence = options.silence ?? 10_000;
  const target = targetOf(peer, options);
  const base = `/peer/${options.id}`;
  const ask = async <T>(question: Question, schema: z.ZodMiniType<T>): Promise<T> =>
    checked(`${question.method} ${question.path}`, await exchange(target, question), schema);
  const post = <T>(
    route: string,
    body: unknown,
    schema: z.ZodMiniType<T>,
    signal: AbortSignal,
    limit?: number,
  ): Promise<T> =>
    ask({ method: "POST", path: `${base}/${route}`, json: body, signal, silence: limit }, schema);
  const lines =
    peer.transport === "direct"
      ? new LinePool(peer, silence, (signal) => post("line", {}, LineKey, signal, silence))
      : undefined;
  const relayed: PeerClient["put"] = async (pieces, bytes, signal) => {
    const segments = withDigests(pieces, bytes);
    const body = [bundleHead(segments), bytes];
    await exchange(target, { method: "PUT", path: `${base}/segments`, bytes: body, signal, silence });
    return segments;
  };
  const sealed =
    (pool: LinePool): PeerClient["put"] =>
    async (pieces, bytes, signal) => {
      const answer = await asked("a line", signal, () => pool.ask([bundleHead(pieces), bytes], signal));
      const { digests } = checked("a line", answer, digestsOf(pieces.length));
      return digests.map((digest, at) => ({ ...(pieces[at] as Piece), digest }));
    };
  return {
    put: lines === undefined ? relayed : sealed(lines),
    final: (body, signal) => post("final", body, PeerState, signal),
    released: (body, signal) => post("released", body, PeerState, signal),
    aborted: (signal) => post("aborted", {}, PeerState, signal),
    received: (signal) => ask({ method: "GET", path: base, signal, silence }, Received),
    post,
    close: () => {
      target.agent.destroy();
      lines?.close();
    },
  };
}

function targetOf(peer: Peer, options: ConnectOptions): Target {
  const pool = { keepAlive: true, keepAliveMsecs: 1000, maxSockets: options.connections ?? 8 };
  switch (peer.transport) {
    case "relay":
      return { agent: new Agent(pool), where: { socketPath: peer.socket }, secure: false };
    case "direct":
      return {
        agent: new TlsAgent({ ...pool, ...pskClientOptions(options.id, peer.psk) }),
        where: { host: peer.host, port: peer.port },
        secure: true,
      };
  }
}

/** Nothing on the relay's way proves the bytes from end to end; on a line the seal does. */
function withDigests(pieces: readonly Piece[], bytes: Buffer): Segment[] {
  let end = 0;
  return pieces.map((piece) => ({
    ...piece,
    digest: digestOf(bytes.subarray(end, (end += piece.length))),
  }));
}

function checked<T>(what: string, answer: Answer, schema: z.ZodMiniType<T>): T {
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  throw new TransferError(what, {
    kind: "refused",
    status: answer.status,
    code: "BAD_ANSWER",
    message: parsed.error.message,
  });
}
