import type { IncomingMessage } from "node:http";
import { finished } from "node:stream/promises";
import * as z from "zod/mini";
import { Segment } from "../api.js";
import { HttpError } from "../refusals.js";
import type { Receiver } from "./receiver.js";
import { segmentSize } from "./segment.js";

const whole = z.pipe(z.string().check(z.regex(/^(0|[1-9][0-9]{0,15})$/)), z.transform(Number));
const SegmentQuery = z.pipe(z.extend(Segment, { offset: whole, length: whole }), Segment);

/** PUT /peer/{id}/segments?file&offset&length&sha256. Rejects with an HttpError where the sender is to blame. */
export async function receiveSegment(
  request: IncomingMessage,
  query: URLSearchParams,
  receiver: Receiver,
): Promise<void> {
  try {
    await receiver.receive(segmentOf(query), request);
  } catch (thrown) {
    await drain(request);
    throw thrown;
  }
}

function segmentOf(query: URLSearchParams): Segment {
  const parsed = SegmentQuery.safeParse(Object.fromEntries(query));
  if (parsed.success && [...query.keys()].length === 4) return parsed.data;
  const problems = parsed.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new HttpError(400, "QUERY", "the query names no segment", problems ?? ["a key is there twice"]);
}

/**
 * A connection that is closed on unread bytes is reset, and takes the answer with it: the sender would take the
 * refusal for a lost line and try again for ever. So what a segment may have at most is read before it is refused.
 */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || Number(request.headers["content-length"] ?? 0) > segmentSize) return;
  request.resume();
  await finished(request, { signal: AbortSignal.timeout(5000) }).catch(() => request.destroy());
}
