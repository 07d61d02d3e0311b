import { readFile } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { ffDaemonDocument } from "../../../src/container/openapi-main.js";
import { daemonDocument } from "../../../src/daemon/openapi.js";

describe.each([
  ["docs/openapi.json", daemonDocument()],
  ["docs/ff-daemon.openapi.json", ffDaemonDocument()],
])("%s", (file, document) => {
  test("is what the routes and their schemas say (npm run openapi writes it)", async () => {
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(document)));
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
