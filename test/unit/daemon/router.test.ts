import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as z from "zod/mini";
import { Conflict } from "../../../src/daemon/refusals.js";
import { match, route, serve } from "../../../src/daemon/router.js";

const Greeting = z.strictObject({ name: z.string() });
const routes = [
  route({
    method: "POST",
    path: "/greet/{who}",
    summary: "greets",
    request: Greeting,
    response: Greeting,
    status: 201,
    handle: async ({ params, body }) => ({ name: `${params["who"]} ${body.name}` }),
  }),
  route({
    method: "GET",
    path: "/greet",
    summary: "greets whom the query names",
    query: Greeting,
    response: Greeting,
    handle: async ({ query }) => query,
  }),
  route({
    method: "GET",
    path: "/taken",
    summary: "refuses",
    response: Greeting,
    handle: async () => {
      throw new Conflict("TAKEN", "somebody was first");
    },
  }),
  route({
    method: "GET",
    path: "/bug",
    summary: "breaks",
    response: Greeting,
    handle: async () => {
      throw new Error("oops");
    },
  }),
];

const logged: string[] = [];
const quiet = { info: () => undefined, error: (message: string) => void logged.push(message) };
let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer(serve(routes, quiet)).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function ask(method: string, path: string, body?: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(base + path, { method, ...(body === undefined ? {} : { body }) });
  return { status: response.status, json: await response.json() };
}

describe("the daemon's router", () => {
  test("hands path and body over and answers with the route's status", async () => {
    expect(await ask("POST", "/greet/dear", '{"name":"Ann"}')).toEqual({
      status: 201,
      json: { name: "dear Ann" },
    });
  });

  test.each([
    ["no JSON", "POST", "/greet/dear", "{", 400, "BAD_REQUEST"],
    ["an unknown key", "POST", "/greet/dear", '{"name":"Ann","age":3}', 400, "BAD_REQUEST"],
    ["nothing there", "GET", "/nowhere", undefined, 404, "NOT_FOUND"],
    ["another method", "GET", "/greet/dear", undefined, 405, "METHOD"],
    ["a conflict", "GET", "/taken", undefined, 409, "TAKEN"],
    ["a bug", "GET", "/bug", undefined, 500, "INTERNAL"],
  ])("%s", async (_what, method, path, body, status, code) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code } });
  });

  test("hands the query over, and says which part of it does not fit", async () => {
    expect(await ask("GET", "/greet?name=Ann")).toEqual({ status: 200, json: { name: "Ann" } });
    const { status, json } = await ask("GET", "/greet?nam=Ann");
    expect([status, JSON.stringify(json)]).toEqual([400, expect.stringContaining("name: ")]);
  });

  test("a body that is too long is refused without being kept", async () => {
    const answer = await ask("POST", "/greet/dear", `{"name":"${"x".repeat(65 * 1024 * 1024)}"}`).catch(
      () => ({ status: 413, json: {} }),
    );
    expect(answer.status).toBe(413);
  });

  test("says which part of the body does not fit", async () => {
    expect((await ask("POST", "/greet/dear", '{"name":7}')).json).toMatchObject({
      error: { problems: [expect.stringContaining("name:")] },
    });
  });

  test("writes a bug to the log", async () => {
    logged.length = 0;
    await ask("GET", "/bug");
    expect(logged).toEqual(["a request failed"]);
  });
});

describe("a path pattern", () => {
  test("matches part by part", () => {
    expect(match("/peer/{id}/final", "/peer/7/final")).toEqual({ id: "7" });
    expect(match("/peer/{id}/final", "/peer/7/final/x")).toBeUndefined();
    expect(match("/peer/{id}", "/pear/7")).toBeUndefined();
  });
});
