import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as TlsAgent } from "node:https";
import * as z from "zod/mini";
import { ErrorBody, PeerState, Received, type FinalRequest, type Peer, type ReleaseProof, type Segment } from "../api.js";
import { TransferError } from "./errors.js";
import { pskClientOptions } from "./psk.js";
import { segmentPath } from "./segment.js";

/** The destination's daemon, as the source's sees it. Every method rejects with a TransferError, or with the signal's reason. */
export interface PeerClient {
  /** Resolves once the peer has verified the digest. `body` may be used again then, and after a rejection too. */
  putSegment(segment: Segment, body: Buffer, signal: AbortSignal): Promise<void>;
  /** Answers when the tree is prepared or has failed: no time limit but the signal's. */
  final(body: FinalRequest, signal: AbortSignal): Promise<PeerState>;
  /** Answers when the tree runs: no time limit but the signal's. */
  released(body: ReleaseProof, signal: AbortSignal): Promise<PeerState>;
  aborted(signal: AbortSignal): Promise<PeerState>;
  received(signal: AbortSignal): Promise<Received>;
  /** Any other route below `/peer/{id}/`, its answer checked by the schema. */
  post<T>(route: string, body: unknown, answer: z.ZodMiniType<T>, signal: AbortSignal): Promise<T>;
  /** Ends every connection; what is under way is lost. */
  close(): void;
}

export interface ConnectOptions {
  /** The migration. */
  id: string;
  /** At most so many connections at a time. */
  connections?: number;
  /** Milliseconds without a byte either way after which a segment or a question counts as lost. */
  silence?: number;
}
