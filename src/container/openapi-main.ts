/** Writes docs/openapi.json and docs/ff-daemon.openapi.json; a test compares. */
import { writeFileSync } from "node:fs";
import type { Daemon } from "../daemon/daemon.js";
import { daemonDocument, openApiDocument } from "../daemon/openapi.js";
import type { Operations } from "./ff-daemon/operations.js";
import { routesOf } from "./ff-daemon/routes.js";

export function ffDaemonDocument(): Record<string, unknown> {
  return openApiDocument(routesOf({} as Daemon, {} as Operations), {
    title: "ff_daemon",
    description:
      "FastMig's requests, by HTTP. Where FASTMIG_TOKEN_FILE names a secret, every request but GET /healthz brings it: `Authorization: Bearer SECRET`.",
    server: { url: "http://localhost:7878", description: "-p has another port" },
  });
}

if (process.argv[2] === "--write")
  for (const [file, document] of [
    ["docs/openapi.json", daemonDocument()],
    ["docs/ff-daemon.openapi.json", ffDaemonDocument()],
  ] as const)
    writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
