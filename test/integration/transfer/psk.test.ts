import { afterEach, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer as createTcpServer, connect, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer } from "node:https";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectPeer, type PeerClient } from "../../../src/daemon/transfer/client.js";
import { createPeerListener, type PeerListener } from "../../../src/daemon/transfer/listener.js";
import { id, psk } from "./ends.js";

const ends: { close(): unknown }[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end.close();
});
const until = <T extends { close(): unknown }>(end: T): T => {
  ends.push(end);
  return end;
};

const json = async (): Promise<{ status: number; json: unknown }> => ({ status: 200, json: {} });

async function listener(): Promise<PeerListener & { asked: number }> {
  const counted = { asked: 0 };
  const made = await createPeerListener({
    port: 0,
    host: "127.0.0.1",
    id,
    psk,
    answers: {
      http: (_, response) => {
        counted.asked++;
        response.end(JSON.stringify({ segments: [] }));
      },
      json,
    },
    take: async () => undefined,
  });
  return until(Object.assign(counted, made));
}

function client(port: number, key = psk, identity = id): PeerClient {
  const peer = { transport: "direct", host: "127.0.0.1", port, psk: key } as const;
  return until(connectPeer(peer, { id: identity, silence: 2000 }));
}

const ask = (peer: PeerClient): Promise<unknown> => peer.received(AbortSignal.timeout(5000));

test("who has the key and the migration's id is let in", async () => {
  const { port } = await listener();
  await expect(ask(client(port))).resolves.toEqual({ segments: [] });
});

test.each([
  ["another key", "00".repeat(32), id],
  ["another migration", psk, "01ARZ3NDEKTSV4RRFFQ69G5FAW"],
])("%s is not", async (_, key, identity) => {
  const to = await listener();
  await expect(ask(client(to.port, key, identity))).rejects.toMatchObject({ fault: { kind: "lost" } });
  expect(to.asked).toBe(0);
  await expect(ask(client(to.port))).resolves.toEqual({ segments: [] });
});

test("a server that shows a certificate instead of the key is not believed, whoever signed it", async () => {
  const { cert, key } = certificate();
  const server = createTlsServer({ cert, key }, (_, response) => response.end("{}")).listen(0, "127.0.0.1");
  await once(server, "listening");
  until({ close: () => server.close().closeAllConnections() });
  await expect(ask(client((server.address() as { port: number }).port))).rejects.toMatchObject({
    fault: { kind: "lost" },
  });
});

test("a server without TLS is no peer", async () => {
  const server = await plain((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  await expect(ask(client(server.port))).rejects.toMatchObject({ fault: { kind: "lost" } });
});

test("a server that never answers counts as lost", async () => {
  const server = await plain(() => undefined);
  await expect(ask(client(server.port))).rejects.toMatchObject({ fault: { kind: "lost" } });
});

test("closing ends the connections that are open", async () => {
  const to = await listener();
  const socket = connect(to.port, "127.0.0.1").on("error", () => undefined);
  await once(socket, "connect");
  await to.close();
  if (!socket.destroyed) await once(socket, "close");
  await expect(ask(client(to.port))).rejects.toMatchObject({ fault: { kind: "lost" } });
});

test("a port that is taken says so", async () => {
  const { port } = await listener();
  const again = createPeerListener({
    port,
    host: "127.0.0.1",
    id,
    psk,
    answers: { http: () => undefined, json },
    take: async () => undefined,
  });
  await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
});

async function plain(answer: (socket: import("node:net").Socket) => void): Promise<{ port: number }> {
  const sockets = new Set<import("node:net").Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    answer(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  until({ close: () => (server.close(), sockets.forEach((socket) => socket.destroy())) });
  return { port: (server.address() as { port: number }).port };
}

function certificate(): { cert: Buffer; key: Buffer } {
  const path = mkdtempSync(join(tmpdir(), "fastmig-cert-"));
  const [cert, key] = [join(path, "cert"), join(path, "key")];
  const argv = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/CN=127.0.0.1",
  ];
  execFileSync("openssl", [...argv, "-keyout", key, "-out", cert], { stdio: "ignore" });
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } finally {
    rmSync(path, { recursive: true });
  }
}
