import * as z from "zod/mini";
import type { Daemon } from "../daemon.js";
import { route, type Route } from "../router.js";
import { imageRoutes } from "./image.js";
import { migrationRoutes } from "./migration.js";
import { serviceRoutes } from "./service.js";

export { peerRoutes } from "./peer.js";

/** What the CLI may ask: over the socket in the runtime directory only. */
export function controlRoutes(daemon: Daemon): Route[] {
  return [...serviceRoutes(daemon), ...migrationRoutes(daemon), ...imageRoutes(daemon)];
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
