import * as z from "zod/mini";
import { messageOf } from "../../errors.js";
import {
  AbortRequest,
  ListenRequest,
  MigrationView,
  OpenMigration,
  ReleaseProof,
  ResolveRequest,
  ReachRequest,
  ReachResult,
  RoundRequest,
  SwitchoverRequest,
  TuneRequest,
} from "../api.js";
import type { Daemon } from "../daemon.js";
import { DestinationHalf } from "../handover/destination.js";
import { Conflict, HttpError } from "../refusals.js";
import { route, type Route } from "../router.js";

/** Milliseconds in which the answer may wait until nothing of the migration is under way: it is asked less often then. */
export const Patience = z.strictObject({
  within: z._default(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(10_000)), 0),
});

/** What the CLI may ask about migrations. Each is answered with how the migration stands afterwards. */
export function migrationRoutes(daemon: Daemon): Route[] {
  return [
    route({
      method: "POST",
      path: "/migrations",
      summary: "Open a migration: this is the lock",
      request: OpenMigration,
      response: MigrationView,
      status: 201,
      handle: ({ body }) => daemon.open(body),
    }),
    route({
      method: "GET",
      path: "/migrations/{id}",
      summary: "How a migration stands, or how it ended",
      query: Patience,
      response: MigrationView,
      handle: ({ params, query }) => daemon.view(params["id"] ?? "", query.within),
    }),
    ...copying(daemon),
    ...deeds(daemon),
  ];
}

/** While the service runs. */
function copying(daemon: Daemon): Route[] {
  return [
    act(daemon, "listen", "Listen for the source with TLS", ListenRequest, (id, body) =>
      daemon.destination(id).listen(body),
    ),
    route({
      method: "POST",
      path: "/migrations/{id}/reach",
      summary: "Connect the source with its peer",
      request: ReachRequest,
      response: ReachResult,
      handle: async ({ params, body }) => ({
        obstacle: await daemon.source(params["id"] ?? "").reach(body.peer),
      }),
    }),
    {
      ...act(daemon, "rounds", "Copy what changed, while the service runs", RoundRequest, (id, body) =>
        daemon.source(id).round(body),
      ),
      status: 202,
    },
    act(daemon, "tune", "Change the rate or the budget under way", TuneRequest, (id, body) =>
      daemon.source(id).tune(body),
    ),
  ];
}

function deeds(daemon: Daemon): Route[] {
  return [
    act(daemon, "switchover", "Freeze and hand over", SwitchoverRequest, (id, body) =>
      switchover(daemon, id, body),
    ),
    act(daemon, "abort", "Give the migration up, where that is still possible", AbortRequest, (id, body) =>
      abort(daemon, id, body),
    ),
    act(daemon, "released", "Carry the source's proof over", ReleaseProof, (id, body) =>
      daemon.destination(id).released(body),
    ),
    act(daemon, "confirm", "The migration is done: remove images, close", undefined, (id) =>
      daemon.half(id).confirm(),
    ),
    act(
      daemon,
      "resolve",
      "The operator's word about the side that cannot be asked",
      ResolveRequest,
      (id, body) => resolve(daemon, id, body),
    ),
  ];
}

function act<B>(
  daemon: Daemon,
  verb: string,
  summary: string,
  request: z.ZodMiniType<B> | undefined,
  deed: (id: string, body: B) => Promise<unknown>,
): Route {
  return route<B>({
    method: "POST",
    path: `/migrations/{id}/${verb}`,
    summary,
    ...(request === undefined ? {} : { request }),
    response: MigrationView,
    handle: async ({ params, body }) => {
      const id = params["id"] ?? "";
      await deed(id, body);
      return daemon.view(id);
    },
  });
}

/** Answers once the freeze has begun, or says why it cannot: the service runs on then. */
async function switchover(daemon: Daemon, id: string, request: SwitchoverRequest): Promise<void> {
  try {
    await daemon.source(id).switchover(request);
  } catch (thrown) {
    if (thrown instanceof HttpError) throw thrown;
    throw new Conflict("NOT_READY", messageOf(thrown));
  }
}

async function abort(daemon: Daemon, id: string, { sourceAborted }: AbortRequest): Promise<void> {
  const half = daemon.half(id);
  if (half instanceof DestinationHalf) await half.abort(sourceAborted);
  else await half.abort();
}

async function resolve(daemon: Daemon, id: string, { keep }: ResolveRequest): Promise<void> {
  const half = daemon.half(id);
  if (keep === "source") return half.keepSource();
  if (!(half instanceof DestinationHalf))
    throw new Conflict("ROLE", "the destination is kept by asking the destination");
  await half.keepDestination();
}
