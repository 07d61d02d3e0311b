import { CheckpointRequest, ImageWork, RestoreRequest } from "../api.js";
import type { Daemon } from "../daemon.js";
import { route, type Route } from "../router.js";
import { Patience } from "./migration.js";

/** Checkpoints to an image store and restores from one. */
export function imageRoutes(daemon: Daemon): Route[] {
  return [
    route({
      method: "POST",
      path: "/image/checkpoint",
      summary: "Freeze the service into an image; answered when that has begun",
      request: CheckpointRequest,
      response: ImageWork,
      status: 202,
      handle: ({ body }) => daemon.checkpoint(body),
    }),
    route({
      method: "POST",
      path: "/image/restore",
      summary: "Bring the service back from an image; answered when that has begun",
      request: RestoreRequest,
      response: ImageWork,
      status: 202,
      handle: ({ body }) => daemon.restore(body),
    }),
    route({
      method: "POST",
      path: "/image/{id}/abort",
      summary: "Give a checkpoint or a restore up, where that is still possible; answered when it is over",
      response: ImageWork,
      handle: ({ params }) => daemon.images.abort(params["id"] ?? ""),
    }),
    route({
      method: "GET",
      path: "/image/{id}",
      summary: "A checkpoint or a restore: as soon as it is over, or after `within` milliseconds",
      query: Patience,
      response: ImageWork,
      handle: ({ params, query }) => daemon.images.view(params["id"] ?? "", query.within),
    }),
  ];
}
