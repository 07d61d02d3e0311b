import type * as z from "zod/mini";
import {
  ExpectRequest,
  FinalRequest,
  ForgetRounds,
  LineKey,
  PeerState,
  Received,
  ReleaseProof,
  RoundArrived,
} from "../api.js";
import type { Daemon } from "../daemon.js";
import type { DestinationHalf } from "../handover/destination.js";
import { BadRequest } from "../refusals.js";
import { route, type Route } from "../router.js";
import { Nothing } from "./service.js";

/** What the source's daemon may ask of the destination's: over the relay, or over this migration's TLS listener. */
export function peerRoutes(daemon: Daemon): Route[] {
  return [
    ask(daemon, "expect", "Images are coming: make room", ExpectRequest, (half, body) => half.expect(body)),
    route({
      method: "PUT",
      path: "/peer/{id}/segments",
      summary: "Parts of image files: a list of them with their digests, then their bytes",
      raw: true,
      response: Nothing,
      handle: async ({ params, request }) => {
        if (request === undefined) throw new BadRequest("segments come in a body, or in frames of their own");
        await daemon.destination(params["id"] ?? "").arrivals.segments(request);
        return {};
      },
    }),
    route({
      method: "POST",
      path: "/peer/{id}/line",
      summary: "A line for such parts, without HTTP: its token and key",
      response: LineKey,
      handle: async ({ params }) => daemon.destination(params["id"] ?? "").arrivals.issueLine(),
    }),
    route({
      method: "GET",
      path: "/peer/{id}",
      summary: "The segments that are here",
      response: Received,
      handle: async ({ params }) => daemon.destination(params["id"] ?? "").arrivals.received(),
    }),
    ask(daemon, "state", "How the destination stands", undefined, () => undefined),
    ask(daemon, "round", "All of a round was sent: verify", RoundArrived, (half, body) => half.round(body)),
    ask(daemon, "forget", "A round failed: remove every round", ForgetRounds, (half) => half.forget()),
    ask(daemon, "final", "Everything was sent: verify, restore, hold", FinalRequest, (half, body) =>
      half.final(body),
    ),
    ask(daemon, "released", "The source is dead: run", ReleaseProof, (half, body) => half.released(body)),
    ask(daemon, "aborted", "The source goes on: discard", undefined, (half) => half.aborted()),
  ];
}

function ask<B>(
  daemon: Daemon,
  verb: string,
  summary: string,
  request: z.ZodMiniType<B> | undefined,
  deed: (half: DestinationHalf, body: B) => unknown,
): Route {
  return route<B>({
    method: "POST",
    path: `/peer/{id}/${verb}`,
    summary,
    ...(request === undefined ? {} : { request }),
    response: PeerState,
    handle: async ({ params, body }) => {
      const half = daemon.destination(params["id"] ?? "");
      expectEpoch(half, body);
      await deed(half, body);
      return half.peerState();
    },
  });
}

/** A word of another epoch is a word of another migration. */
function expectEpoch(half: DestinationHalf, body: unknown): void {
  const said = (body as { epoch?: number } | undefined)?.epoch;
  if (said !== undefined && said !== half.open.epoch)
    throw new BadRequest(`this migration's epoch is ${half.open.epoch}, not ${said}`);
}
