import * as z from "zod/mini";
import { Status } from "../../daemon/api.js";
import type { Daemon } from "../../daemon/daemon.js";
import { PlainText, route, type Route } from "../../daemon/router.js";
import { CheckpointRequest, Done, RunRequest, StopRequest } from "./api.js";
import { prometheus } from "./metrics.js";
import type { Operations } from "./operations.js";

/** FastMig's two, and what it takes to look after them. */
export function routesOf(daemon: Daemon, operations: Operations): Route[] {
  return [...actingRoutes(daemon, operations), ...lookingRoutes(daemon, operations)];
}

function actingRoutes(daemon: Daemon, operations: Operations): Route[] {
  return [
    route({
      method: "POST",
      path: "/run",
      summary:
        "Restore the application where there is an image, else run it from scratch; answered when it runs",
      request: RunRequest,
      response: Done,
      handle: ({ body }) => operations.run(body),
    }),
    route({
      method: "POST",
      path: "/checkpoint",
      summary: "Freeze the application into an image; answered when that is whole",
      request: CheckpointRequest,
      response: Done,
      handle: ({ body }) => operations.checkpoint(body),
    }),
    route({
      method: "POST",
      path: "/stop",
      summary: "Stop the application: SIGTERM, then SIGKILL",
      request: StopRequest,
      response: Status,
      handle: ({ body }) => daemon.stop(body.timeout),
    }),
  ];
}

function lookingRoutes(daemon: Daemon, operations: Operations): Route[] {
  return [
    route({
      method: "GET",
      path: "/status",
      summary: "The application, and how far a checkpoint or a restore is",
      response: Status,
      handle: () => daemon.status(),
    }),
    route({
      method: "GET",
      path: "/healthz",
      summary: "The daemon answers",
      response: z.strictObject({}),
      handle: async () => ({}),
    }),
    route({
      method: "GET",
      path: "/metrics",
      summary: "The same in figures, for Prometheus",
      response: z.string(),
      handle: async () => new PlainText(prometheus(await daemon.status(), operations.counts)),
    }),
  ];
}
