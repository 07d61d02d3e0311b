import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import type { Daemon } from "../../../src/daemon/daemon.js";
import { openApiDocument } from "../../../src/daemon/openapi.js";
import { controlRoutes, peerRoutes } from "../../../src/daemon/routes/index.js";

const nobody = {} as Daemon;
const document = openApiDocument([...controlRoutes(nobody), ...peerRoutes(nobody)]);

describe("docs/openapi.json", () => {
  test("is what the routes and their schemas say (npm run openapi writes it)", async () => {
    expect(JSON.parse(await readFile("docs/openapi.json", "utf8"))).toEqual(
      JSON.parse(JSON.stringify(document)),
    );
  });

  test("names each operation once", () => {
    const operations = Object.values(
      document["paths"] as Record<string, Record<string, { operationId: string }>>,
    );
    const ids = operations.flatMap((methods) =>
      Object.values(methods).map((operation) => operation.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
