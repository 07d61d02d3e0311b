import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { connectNode } from "../../../src/remote/connect.js";
import { localNode } from "../../../src/remote/local.js";
import type { Node } from "../../../src/remote/node.js";
import { openRelay } from "../../../src/remote/relay.js";
import type { Relay } from "../../../src/remote/relay.js";
import { pause, waitFor } from "../../../src/wait.js";
import { SshServer } from "../../support/ssh-server.js";

jest.setTimeout(30_000);

let here: SshServer;
let there: SshServer;
beforeAll(async () => {
  [here, there] = await Promise.all([SshServer.start(), SshServer.start()]);
});
afterAll(() => Promise.all([here.stop(), there.stop()]));

const overSsh = (name: string, server: SshServer): Promise<Node> =>
  connectNode(
    { name, reach: { kind: "ssh", alias: "node" }, sudo: false, address: null },
    { sshConfig: server.clientConfig() },
  );

const ways: [string, () => Promise<Node>, () => Promise<Node>][] = [
  ["two SSH nodes", () => overSsh("a", here), () => overSsh("b", there)],
  ["two local nodes", () => localNode("a"), () => localNode("b")],
];

describe.each(ways)("a relay between %s", (_which, connectSource, connectDestination) => {
  let source: Node;
  let destination: Node;
  let relay: Relay;
  let daemon: Server;
  let sockets: Set<Socket>;
  let onConnection: (socket: Socket) => void;
  const peer = (): string => here.path("peer.sock");

  beforeEach(async () => {
    [source, destination] = await Promise.all([connectSource(), connectDestination()]);
    sockets = new Set();
    daemon = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      onConnection(socket.on("error", () => undefined));
    });
    rmSync(there.path("daemon.sock"), { force: true });
    daemon.listen(there.path("daemon.sock"));
    await once(daemon, "listening");
    relay = await openRelay(
      { node: source, socket: peer() },
      { node: destination, socket: there.path("daemon.sock") },
    );
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    daemon.close();
    await relay.close();
    await Promise.all([source.close(), destination.close()]);
  });

  const client = (): Socket =>
    createConnection({ path: peer(), allowHalfOpen: true }).on("error", () => undefined);

  test("carries much, both ways, and every end", async () => {
    const [up, down] = [randomBytes(12 * 2 ** 20), randomBytes(5 * 2 ** 20)];
    let received: Buffer | undefined;
    onConnection = (socket) => void buffer(socket).then((data) => ((received = data), socket.end(down)));
    const socket = client();
    socket.end(up);
    expect(digest(await buffer(socket))).toBe(digest(down));
    expect(received?.equals(up)).toBe(true);
    expect(relay.bytes).toEqual({ there: up.length, back: down.length });
  });

  test("holds the sender back while the receiver does not read", async () => {
    onConnection = (socket) => void socket.pause();
    const socket = client();
    const chunk = randomBytes(2 ** 20);
    let sent = 0;
    for (; sent < 64; sent++) {
      if (
        await Promise.race([
          new Promise((resolve) => socket.write(chunk, () => resolve(false))),
          pause(1000).then(() => true),
        ])
      )
        break;
    }
    expect(sent).toBeLessThan(40);
    socket.destroy();
  });

  test("several connections at once", async () => {
    onConnection = (socket) => void socket.pipe(socket);
    const clients = Array.from({ length: 10 }, client);
    clients.forEach((socket, index) => socket.end(`hello ${index}`));
    expect(await Promise.all(clients.map((socket) => text(socket)))).toEqual(
      clients.map((_, index) => `hello ${index}`),
    );
  });

  test("a destination that refuses cuts the connection", async () => {
    daemon.close();
    await once(daemon, "close");
    const socket = client();
    await cutOff(socket);
    socket.destroy();
  });

  test("a destination that dies in the middle cuts it, too", async () => {
    onConnection = (socket) => void setTimeout(() => socket.destroy(), 50);
    const socket = client();
    socket.write(randomBytes(2 ** 20));
    await cutOff(socket);
    socket.destroy();
  });

  test("closing it ends the open connections and leaves no socket", async () => {
    const opened = new Promise<void>((resolve) => (onConnection = () => resolve()));
    const socket = client();
    socket.write("hello");
    await opened;
    const cut = cutOff(socket);
    await relay.close();
    await cut;
    socket.destroy();
    await relay.close();
    expect(existsSync(peer())).toBe(false);
  });
});

test("a lost link is told, and cuts what was under way", async () => {
  const [source, destination] = await Promise.all([localNode("a"), overSsh("b", there)]);
  const daemon = createServer((socket) => void socket.pipe(socket)).listen(there.path("daemon.sock"));
  await once(daemon, "listening");
  const relay = await openRelay(
    { node: source, socket: here.path("peer.sock") },
    { node: destination, socket: there.path("daemon.sock") },
  );
  const socket = createConnection(here.path("peer.sock")).on("error", () => undefined);
  socket.write("hello");
  await once(socket, "data");
  there.cut();
  expect(await relay.lost).toMatch(/^node b: the SSH connection was lost/);
  await waitFor("the cut", () => Promise.resolve(socket.closed || undefined), { timeout: 2000 });
  await relay.close();
  await Promise.all([source.close(), destination.close()]);
  daemon.close();
});

/** Resolves when nothing more comes, by an end or by a reset. */
function cutOff(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.resume().once("end", resolve).once("close", resolve));
}

function digest(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
