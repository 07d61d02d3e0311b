import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import * as z from "zod/mini";
import { Segment } from "../api.js";
import { HttpError } from "../refusals.js";
import type { Receiver } from "./receiver.js";
import { segmentSize } from "./segment.js";

const whole = z.pipe(z.string().check(z.regex(/^(0|[1-9][0-9]{0,15})$/)), z.transform(Number));
const SegmentQuery = z.pipe(z.extend(Segment, { offset: whole, length: whole }), Segment);

/** PUT /peer/{id}/segments?file&offset&length&digest, or ?bundle for a body of many. Rejects with an HttpError where the sender is to blame. */
export async function receiveSegment(
  request: IncomingMessage,
  query: URLSearchParams,
  receiver: Receiver,
): Promise<void> {
  try {
    await (query.has("bundle")
      ? receiver.receiveBundle(request)
      : receiver.receive(segmentOf(query), request));
  } catch (thrown) {
    if (!request.complete) await leave(request, thrown);
    throw thrown;
  }
}

function segmentOf(query: URLSearchParams): Segment {
  const parsed = SegmentQuery.safeParse(Object.fromEntries(query));
  if (parsed.success && [...query.keys()].length === 4) return parsed.data;
  const problems = parsed.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new HttpError(400, "QUERY", "the query names no segment", problems ?? ["a key is there twice"]);
}

/** Whom we refuse hears why; who has fallen silent in the middle of a body is let go. */
async function leave(request: IncomingMessage, reason: unknown): Promise<void> {
  const announced = Number(request.headers["content-length"] ?? Infinity);
  if (reason instanceof HttpError && announced <= 2 * segmentSize) await drain(request);
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
