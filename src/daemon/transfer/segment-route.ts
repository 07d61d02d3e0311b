import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import { HttpError } from "../refusals.js";
import { longestBundle } from "./bundle.js";
import type { Receiver } from "./receiver.js";
import { takeBody } from "./take-body.js";

/** PUT /peer/{id}/segments, a bundle. Rejects with an HttpError where the sender is to blame. */
export async function receiveSegments(request: IncomingMessage, receiver: Receiver): Promise<void> {
  try {
    await receiver.receive((into, silence, signal) => takeBody(request, into, silence, signal));
  } catch (thrown) {
    if (!request.complete) await leave(request, thrown);
    throw thrown;
  }
}

/** Whom we refuse hears why; who has fallen silent in the middle of a body is let go. */
async function leave(request: IncomingMessage, reason: unknown): Promise<void> {
  const announced = Number(request.headers["content-length"] ?? Infinity);
  if (reason instanceof HttpError && announced <= 2 * longestBundle) await drain(request);
  else request.destroy();
}

/**
 * A connection that is closed on unread bytes is reset, and takes the answer with it: the sender would take the
 * refusal for a lost line and try again for ever.
 */
async function drain(request: IncomingMessage): Promise<void> {
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(5000) }).catch(() => request.destroy());
}
