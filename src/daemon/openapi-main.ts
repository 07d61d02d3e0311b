/** Writes docs/openapi.json; a test compares. */
import { writeFileSync } from "node:fs";
import type { Daemon } from "./daemon.js";
import { openApiDocument } from "./openapi.js";
import { controlRoutes, peerRoutes } from "./routes/index.js";

const nobody = {} as Daemon;
const routes = [...controlRoutes(nobody), ...peerRoutes(nobody)];
writeFileSync(
  process.argv[2] ?? "docs/openapi.json",
  `${JSON.stringify(openApiDocument(routes), null, 2)}\n`,
);
