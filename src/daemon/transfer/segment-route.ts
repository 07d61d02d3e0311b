import * as z from "zod/mini";
import type { IncomingMessage } from "node:http";
import { Segment } from "../api.js";
import { Refusal } from "./errors.js";
import type { Receiver } from "./receiver.js";

const whole = z.pipe(z.string().check(z.regex(/^(0|[1-9][0-9]{0,15})$/)), z.transform(Number));
const SegmentQuery = z.pipe(z.extend(Segment, { offset: whole, length: whole }), Segment);

/** PUT /peer/{id}/segments?file&offset&length&sha256: a request that is refused has not been read to its end. */
export async function receiveSegment(
  request: IncomingMessage,
  query: URLSearchParams,
  receiver: Receiver,
): Promise<void> {
  await receiver.receive(segmentOf(query), request);
}

function segmentOf(query: URLSearchParams): Segment {
  const parsed = SegmentQuery.safeParse(Object.fromEntries(query));
  if (parsed.success && [...query.keys()].length === 4) return parsed.data;
  const problems = parsed.error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? [
    "a key is there twice",
  ];
  throw new Refusal(400, "QUERY", "the query names no segment", problems);
}
