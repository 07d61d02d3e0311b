import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { MigrationView, OpenMigration, Status } from "../../../src/daemon/api.js";
import { connectNode } from "../../../src/remote/connect.js";
import { DaemonClient, isLocked, isUnknownMigration } from "../../../src/remote/daemon-client.js";
import { localNode } from "../../../src/remote/local.js";
import type { Node } from "../../../src/remote/node.js";
import { SshServer } from "../../support/ssh-server.js";

jest.setTimeout(30_000);

const id = "01JCXZ0000000000000000000A";
const service = { name: "counter", command: ["x"], env: {}, user: "0", workdir: "/" };
const open: OpenMigration = {
  id,
  epoch: 2,
  role: "source",
  service,
  from: "a",
  to: "b",
  by: "me",
  plan: "p",
  openedAt: "now",
};
const view: MigrationView = {
  ...{
    id,
    epoch: 2,
    role: "source",
    state: "opened",
    verdict: null,
    failure: null,
    timeline: {},
    startedAt: null,
  },
  ...{ transfer: { bytes: 0, total: 0, files: 0 }, stats: null, proof: null, verified: [] },
  ...{ rounds: [], tuning: { bandwidth: null, downtime: null } },
};
const status: Status = {
  ...{
    apiVersion: 1,
    version: "1.0.0",
    pid: 5,
    ownership: { epoch: 1, role: "owner", service },
    service: { state: "standby" },
  },
  ...{
    tree: [],
    open: null,
    migration: null,
    image: null,
    criu: { version: "4.2", features: [] },
    uptime: 1,
  },
  memory: { daemonRss: 1, daemonPeak: 1, cgroupLimit: null, cgroupUsed: 1, hostAvailable: 1, imagesFree: 1 },
};

let sshd: SshServer;
beforeAll(async () => {
  sshd = await SshServer.start();
});
afterAll(() => sshd.stop());

const nodes: [string, () => Promise<Node>][] = [
  [
    "ssh",
    () =>
      connectNode(
        { name: "n", reach: { kind: "ssh", alias: "node" }, sudo: false, address: null },
        { sshConfig: sshd.clientConfig() },
      ),
  ],
  ["local", () => localNode("n")],
];

describe.each(nodes)("a daemon on a node by %s", (_kind, connect) => {
  let node: Node;
  let client: DaemonClient;
  let server: Server | undefined;
  let connections = 0;
  let asked: { method: string | undefined; url: string | undefined; body: unknown }[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    asked = [];
    connections = 0;
    node = await connect();
    client = new DaemonClient(node, sshd.path("d.sock"));
  });
  afterEach(async () => {
    await node.close();
    server?.closeAllConnections();
    server?.close();
    server = undefined;
    rmSync(sshd.path("d.sock"), { force: true });
  });

  async function daemon(code: number, body: unknown): Promise<void> {
    answer = (_request, response) => {
      response.writeHead(code, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
    await serve();
  }

  async function serve(): Promise<void> {
    server = createServer(async (request, response) => {
      asked.push({
        method: request.method,
        url: request.url,
        body: request.method === "POST" ? await json(request) : undefined,
      });
      answer(request, response);
    });
    server.on("connection", () => connections++).listen(sshd.path("d.sock"));
    await once(server, "listening");
  }

  test("few connections serve many requests, of many clients", async () => {
    await daemon(200, status);
    expect(await client.status()).toEqual(status);
    for (let n = 0; n < 10; n++) await new DaemonClient(node, sshd.path("d.sock")).status();
    expect(connections).toBeLessThanOrEqual(2);
  });

  test.each<[string, (client: DaemonClient) => Promise<unknown>, string, unknown, unknown]>([
    ["run", (c) => c.run({ epoch: 1, service }), "POST /run", { epoch: 1, service }, status],
    ["stop", (c) => c.stop({ timeout: 1 }), "POST /stop", { timeout: 1 }, status],
    [
      "canary",
      (c) => c.canary({ user: "0", memory: 0, scattered: false }),
      "POST /canary",
      { user: "0", memory: 0, scattered: false },
      {
        ok: true,
        ...{ dumpMs: 1, releaseMs: 1, restoreMs: 1, resumeMs: 1, mapBytes: 60, durableMs: 1 },
        failure: null,
      },
    ],
    ["cpuDump", (c) => c.cpuDump(), "POST /cpu/dump", {}, { image: "x" }],
    ["cpuCheck", (c) => c.cpuCheck({ image: "x" }), "POST /cpu/check", { image: "x" }, { ok: true, log: [] }],
    ["open", (c) => c.open(open), "POST /migrations", open, view],
    ["migration", (c) => c.migration(id), `GET /migrations/${id}`, undefined, view],
    ["migration", (c) => c.migration(id, 900), `GET /migrations/${id}?within=900`, undefined, view],
    [
      "listen",
      (c) => c.listen(id, { port: 1, psk: "00" }),
      `POST /migrations/${id}/listen`,
      { port: 1, psk: "00" },
      view,
    ],
    [
      "reach",
      (c) => c.reach(id, { peer: { transport: "relay", socket: "/s" } }),
      `POST /migrations/${id}/reach`,
      { peer: { transport: "relay", socket: "/s" } },
      { obstacle: "no answer" },
    ],
    ["abort", (c) => c.abort(id), `POST /migrations/${id}/abort`, { sourceAborted: false }, view],
    [
      "abort, told",
      (c) => c.abort(id, { sourceAborted: true }),
      `POST /migrations/${id}/abort`,
      { sourceAborted: true },
      view,
    ],
    ["confirm", (c) => c.confirm(id), `POST /migrations/${id}/confirm`, {}, view],
    [
      "resolve",
      (c) => c.resolve(id, { keep: "source", fenced: "b is off" }),
      `POST /migrations/${id}/resolve`,
      { keep: "source", fenced: "b is off" },
      view,
    ],
    [
      "released",
      (c) => c.released(id, { id, epoch: 2, kind: "dead", pids: [] }),
      `POST /migrations/${id}/released`,
      { id, epoch: 2, kind: "dead", pids: [] },
      view,
    ],
    [
      "switchover",
      (c) =>
        c.switchover(id, {
          peer: { transport: "relay", socket: "/s" },
          preserve: [],
          lease: 1,
          deadline: 2,
          bandwidth: null,
        }),
      `POST /migrations/${id}/switchover`,
      { peer: { transport: "relay", socket: "/s" }, preserve: [], lease: 1, deadline: 2, bandwidth: null },
      view,
    ],
    ["openApi", (c) => c.openApi(), "GET /openapi.json", undefined, { openapi: "3.1.0" }],
  ])("%s", async (_name, call, line, body, answered) => {
    await daemon(200, answered);
    expect(await call(client)).toEqual(answered);
    expect(asked).toEqual([{ method: line.split(" ")[0], url: line.split(" ")[1], body }]);
  });

  test("a lock that another migration holds has exit code 7", async () => {
    await daemon(409, { error: { code: "LOCKED", message: "01J… is open", problems: ["opened by me"] } });
    const refusal = await client.open(open).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({
      code: "LOCKED",
      exit: 7,
      details: ["opened by me"],
      message: expect.stringContaining("refused POST /migrations: 01J… is open"),
    });
    expect(isLocked(refusal)).toBe(true);
  });

  test("an unknown migration is told from everything else", async () => {
    await daemon(404, { error: { code: "NOT_FOUND", message: "no" } });
    expect(isUnknownMigration(await client.migration(id).catch((thrown: unknown) => thrown))).toBe(true);
    expect(isUnknownMigration(new Error("NOT_FOUND"))).toBe(false);
  });

  test.each([
    ["no JSON", 200, "<html>"],
    ["another shape", 200, { ...status, apiVersion: 2 }],
    ["an error without a body", 502, "Bad Gateway"],
  ])("an answer that is %s is not understood", async (_what, code, body) => {
    await daemon(code, body);
    await expect(client.status()).rejects.toMatchObject({
      code: "DAEMON_ANSWER",
      hint: [expect.stringContaining("same version")],
    });
  });

  test("no socket: no daemon", async () => {
    await expect(client.status()).rejects.toMatchObject({
      code: "NO_DAEMON",
      message: `the container runs no fastmig daemon: there is no ${sshd.path("d.sock")} on node n`,
    });
  });

  test("a socket that nobody listens on", async () => {
    writeFileSync(sshd.path("d.sock"), "");
    await expect(client.status()).rejects.toMatchObject({ code: "NO_DAEMON" });
    rmSync(sshd.path("d.sock"));
    await node.exec([
      process.execPath,
      "-e",
      "require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))",
      sshd.path("d.sock"),
    ]);
    await expect(client.status()).rejects.toMatchObject({ code: "DAEMON_DEAD", exit: 4 });
  });

  test("an answer that comes too late, and one that nobody waits for any more", async () => {
    answer = () => undefined;
    await serve();
    await expect(client.status({ timeout: 100 })).rejects.toMatchObject({ code: "DAEMON_TIMEOUT" });
    const controller = new AbortController();
    const stopped = client.status({ signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stop")), 50);
    await expect(stopped).rejects.toThrow("stop");
    await expect(client.status({ signal: AbortSignal.abort(new Error("never")) })).rejects.toThrow("never");
  });

  test("a connection that ends before the answer: nobody knows", async () => {
    answer = (request) => void request.socket.destroy();
    await serve();
    await expect(client.run({ epoch: 1, service })).rejects.toMatchObject({ code: "ANSWER_LOST", exit: 4 });
  });

  test("waits until it is there", async () => {
    setTimeout(() => void daemon(200, status), 150);
    expect(await client.waitReady({ timeout: 5000, interval: 20 })).toEqual(status);
    server?.close();
  });

  test("and says why it is not", async () => {
    await expect(client.waitReady({ timeout: 50, interval: 20 })).rejects.toThrow(
      /not within 50 ms; last answer: the container runs no fastmig daemon/,
    );
  });
});
