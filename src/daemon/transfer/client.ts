import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import type * as z from "zod/mini";
import {
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
import { longestQuestion } from "./line/serve.js";
import type { Piece } from "./piece-queue.js";
import { pskClientOptions } from "./psk.js";

/** The destination's daemon, as the source's sees it. Every method rejects with a TransferError, or with the signal's reason. */
export interface PeerClient {
  /**
   * Sends the bytes of one segment, or of many small ones, one after the other; resolves once the peer has verified
   * them, with what it knows them by. `bytes` may be used again after that, and after a rejection.
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
  /**
   * Whether a `put` is lost where the peer is another process than the one that took what was put before. Otherwise only
   * `received` tells.
   */
  readonly tellsRestart: boolean;
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

/** Characters of JSON that go over a line; there is a little beside it, and a character may be several bytes. */
const mostCharacters = longestQuestion / 4;

/** Connects when first asked something; a broken connection is replaced at the next question. */
export function connectPeer(peer: Peer, options: ConnectOptions): PeerClient {
  return peer.transport === "direct" ? new LinedPeer(peer, options) : new HttpPeer(peer, options);
}

/** Through the relay: everything over HTTP. */
class HttpPeer implements PeerClient {
  readonly tellsRestart: boolean = false;
  protected readonly silence: number;
  protected readonly base: string;
  readonly #target: Target;

  constructor(peer: Peer, options: ConnectOptions) {
    this.silence = options.silence ?? 10_000;
    this.base = `/peer/${options.id}`;
    this.#target = targetOf(peer, options);
  }

  /** Nothing on the relay's way proves the bytes from end to end: their digests go before them. */
  async put(pieces: readonly Piece[], bytes: Buffer, signal: AbortSignal): Promise<Segment[]> {
    let end = 0;
    const segments = pieces.map((piece) => ({
      ...piece,
      digest: digestOf(bytes.subarray(end, (end += piece.length))),
    }));
    const { base, silence } = this;
    const body = [bundleHead(segments), bytes];
    await exchange(this.#target, { method: "PUT", path: `${base}/segments`, bytes: body, signal, silence });
    return segments;
  }

  final(body: FinalRequest, signal: AbortSignal): Promise<PeerState> {
    return this.post("final", body, PeerState, signal);
  }

  released(body: ReleaseProof, signal: AbortSignal): Promise<PeerState> {
    return this.post("released", body, PeerState, signal);
  }

  aborted(signal: AbortSignal): Promise<PeerState> {
    return this.post("aborted", {}, PeerState, signal);
  }

  received(signal: AbortSignal): Promise<Received> {
    return this.ask({ method: "GET", path: this.base, signal, silence: this.silence }, Received);
  }

  post<T>(route: string, body: unknown, answer: z.ZodMiniType<T>, signal: AbortSignal): Promise<T> {
    return this.ask({ method: "POST", path: `${this.base}/${route}`, json: body, signal }, answer);
  }

  close(): void {
    this.#target.agent.destroy();
  }

  protected async ask<T>(question: Question, answer: z.ZodMiniType<T>): Promise<T> {
    const what = `${question.method} ${question.path}`;
    return checked(what, await exchange(this.#target, question), answer);
  }
}

/** Direct: segments and what is short over lines, the rest over HTTP in TLS, which every line begins with. */
class LinedPeer extends HttpPeer {
  /** A line ends with the process, and an idle one is always used before a new one is opened. */
  override readonly tellsRestart = true;
  readonly #lines: LinePool;

  constructor(peer: Extract<Peer, { transport: "direct" }>, options: ConnectOptions) {
    super(peer, options);
    const { silence } = this;
    const question = { method: "POST", path: `${this.base}/line`, json: {}, silence } as const;
    this.#lines = new LinePool(peer, silence, (signal) => this.ask({ ...question, signal }, LineKey));
  }

  override async put(pieces: readonly Piece[], bytes: Buffer, signal: AbortSignal): Promise<Segment[]> {
    const send = (): Promise<Answer> => this.#lines.send([bundleHead(pieces), bytes], signal);
    await asked("a line", signal, send);
    return [...pieces];
  }

  override async post<T>(
    route: string,
    body: unknown,
    answer: z.ZodMiniType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    if (JSON.stringify(body).length > mostCharacters) return super.post(route, body, answer, signal);
    const what = `POST ${this.base}/${route}`;
    const ask = (): Promise<Answer> => this.#lines.ask({ route, body }, signal);
    return checked(what, await asked(what, signal, ask), answer);
  }

  override close(): void {
    super.close();
    this.#lines.close();
  }
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
