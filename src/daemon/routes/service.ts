import * as z from "zod/mini";
import {
  CanaryRequest,
  CanaryResult,
  CpuCheckResult,
  CpuImage,
  RunRequest,
  Status,
  StopRequest,
} from "../api.js";
import { runCanary } from "../canary.js";
import { cpuCheck, cpuDump } from "../cpu-image.js";
import type { Daemon } from "../daemon.js";
import { route, type Route } from "../router.js";

export const Nothing = z.strictObject({});

/** What the CLI may ask about the service and this node. */
export function serviceRoutes(daemon: Daemon): Route[] {
  return [...lookingRoutes(daemon), ...actingRoutes(daemon)];
}

function lookingRoutes(daemon: Daemon): Route[] {
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
      path: "/cpu/dump",
      summary: "What this CPU can",
      response: CpuImage,
      handle: () => cpuDump(daemon.deps),
    }),
    route({
      method: "POST",
      path: "/cpu/check",
      summary: "Whether this CPU can what another can",
      request: CpuImage,
      response: CpuCheckResult,
      handle: ({ body }) => cpuCheck(daemon.deps, body),
    }),
  ];
}

function actingRoutes(daemon: Daemon): Route[] {
  return [
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
      handle: ({ body }) => runCanary(daemon.deps, body),
    }),
  ];
}
