import * as z from "zod/mini";
import {
  AbortRequest,
  CanaryRequest,
  CanaryResult,
  CpuCheckResult,
  CpuImage,
  ExpectRequest,
  FinalRequest,
  ListenRequest,
  MigrationView,
  OpenMigration,
  PeerState,
  Received,
  ReleaseProof,
  ResolveRequest,
  RunRequest,
  Status,
  StopRequest,
  SwitchoverRequest,
} from "./api.js";
import type { Daemon } from "./daemon.js";
import { DestinationHalf } from "./handover/destination.js";
import { BadRequest, Conflict, HttpError } from "./refusals.js";
import { route, type Route } from "./router.js";
import { messageOf } from "../errors.js";

const Nothing = z.strictObject({});

/** What the CLI may ask: over the socket in the runtime directory only. */
export function controlRoutes(daemon: Daemon): Route[] {
  return [...serviceRoutes(daemon), ...migrationRoutes(daemon)];
}

function serviceRoutes(daemon: Daemon): Route[] {
  return [
    route({
      method: "GET",
      path: "/healthz",
      summary: "The daemon answers",
      response: Nothing,
      handle: async () => ({}),
    }),
    route({
      method: "GET",
      path: "/status",
      summary: "Everything about this service on this node",
      response: Status,
      handle: () => daemon.status(),
    }),
    route({
      method: "POST",
      path: "/run",
      summary: "Run the service from scratch; where it runs already, nothing",
      request: RunRequest,
      response: Status,
      handle: ({ body }) => daemon.run(body),
    }),
    route({
      method: "POST",
      path: "/stop",
      summary: "Stop the service: SIGTERM, then SIGKILL",
      request: StopRequest,
      response: Status,
      handle: ({ body }) => daemon.stop(body.timeout),
    }),
    route({
      method: "POST",
      path: "/canary",
      summary: "Dump and restore a small process as the service's user",
      request: CanaryRequest,
      response: CanaryResult,
      handle: ({ body }) => daemon.canary(body.user),
    }),
    route({
      method: "POST",
      path: "/cpu/dump",
      summary: "What this CPU can",
      response: CpuImage,
      handle: () => daemon.cpuDump(),
    }),
    route({
      method: "POST",
      path: "/cpu/check",
      summary: "Whether this CPU can what another can",
      request: CpuImage,
      response: CpuCheckResult,
      handle: ({ body }) => daemon.cpuCheck(body),
    }),
  ];
}

function migrationRoutes(daemon: Daemon): Route[] {
  const view = (
    path: string,
    summary: string,
    act: (id: string, body: never) => Promise<unknown>,
    request?: z.ZodMiniType,
    status = 200,
  ) =>
    route({
      method: "POST",
      path: `/migrations/{id}/${path}`,
      summary,
      ...(request === undefined ? {} : { request }),
      response: MigrationView,
      status,
      handle: async ({ params, body }) => {
        await act(params["id"] ?? "", body as never);
        return daemon.view(params["id"] ?? "");
      },
    });
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
      response: MigrationView,
      handle: ({ params }) => daemon.view(params["id"] ?? ""),
    }),
    view(
      "listen",
      "Listen for the source with TLS",
      (id, body: ListenRequest) => daemon.destination(id).listen(body),
      ListenRequest,
    ),
    view(
      "switchover",
      "Freeze and hand over",
      (id, body: SwitchoverRequest) => switchover(daemon, id, body),
      SwitchoverRequest,
      202,
    ),
    view(
      "abort",
      "Give the migration up, where that is still possible",
      (id, body: AbortRequest) => abort(daemon, id, body),
      AbortRequest,
    ),
    view(
      "released",
      "Carry the source's proof over",
      (id, body: ReleaseProof) => daemon.destination(id).released(body),
      ReleaseProof,
    ),
    view("confirm", "The migration is done: remove images, close", (id) => daemon.half(id).confirm()),
    view(
      "resolve",
      "The operator's word about the side that cannot be asked",
      (id, body: ResolveRequest) => resolve(daemon, id, body),
      ResolveRequest,
    ),
  ];
}

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

/** Keeping the destination needs its proof: the operator's word stands for the dead source. */
async function resolve(daemon: Daemon, id: string, { keep }: ResolveRequest): Promise<void> {
  const half = daemon.half(id);
  if (keep === "source") return half.keepSource();
  if (!(half instanceof DestinationHalf))
    throw new Conflict("ROLE", "the destination is kept by asking the destination");
  await half.released({ id, epoch: half.open.epoch, kind: "stopped", pids: [] });
}

/** What the source's daemon may ask of the destination's: over the relay, or over this migration's TLS listener. */
export function peerRoutes(daemon: Daemon): Route[] {
  const id = (params: Record<string, string>): string => params["id"] ?? "";
  const post = <B>(
    path: string,
    summary: string,
    act: (half: DestinationHalf, body: B) => Promise<unknown>,
    request?: z.ZodMiniType<B>,
  ) =>
    route<B>({
      method: "POST",
      path: `/peer/{id}/${path}`,
      summary,
      ...(request === undefined ? {} : { request }),
      response: PeerState,
      handle: async ({ params, body }) => {
        const half = daemon.destination(id(params));
        await act(half, body);
        return half.peerState();
      },
    });
  return [
    post(
      "expect",
      "Images are coming: make room",
      expectEpoch((half, body) => half.expect(body)),
      ExpectRequest,
    ),
    route({
      method: "PUT",
      path: "/peer/{id}/segments",
      summary: "A part of an image file, with its digest in the query",
      raw: true,
      response: Nothing,
      handle: async ({ params, query, request }) => {
        await daemon.destination(id(params)).segment(request, query);
        return {};
      },
    }),
    route({
      method: "GET",
      path: "/peer/{id}",
      summary: "The segments that are here",
      response: Received,
      handle: async ({ params }) => daemon.destination(id(params)).received(),
    }),
    post("state", "How the destination stands", async () => undefined),
    post(
      "final",
      "Everything was sent: verify, restore, hold",
      expectEpoch((half, body) => half.final(body)),
      FinalRequest,
    ),
    post(
      "released",
      "The source is dead: run",
      (half, body: ReleaseProof) => half.released(body),
      ReleaseProof,
    ),
    post("aborted", "The source goes on: discard", (half) => half.aborted()),
  ];
}

/** docs/openapi.json, generated from these routes and checked in. */
export function documentRoute(document: unknown): Route {
  return route({
    method: "GET",
    path: "/openapi.json",
    summary: "This document",
    response: z.looseObject({}),
    handle: async () => document,
  });
}

function expectEpoch<B extends { epoch: number }>(act: (half: DestinationHalf, body: B) => Promise<unknown>) {
  return async (half: DestinationHalf, body: B): Promise<void> => {
    if (body.epoch !== half.open.epoch) throw new BadRequest(`this migration's epoch is ${half.open.epoch}`);
    await act(half, body);
  };
}
