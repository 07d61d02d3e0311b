import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import * as z from "zod/mini";
import { pause } from "../../../src/wait.js";
import { LineKey, type Segment } from "../../../src/daemon/api.js";
import { bundleHead, longestBundle } from "../../../src/daemon/transfer/bundle.js";
import { connectPeer, type PeerClient } from "../../../src/daemon/transfer/client.js";
import { digestOf } from "../../../src/daemon/transfer/digest.js";
import { Frame, sendFrame } from "../../../src/daemon/transfer/line/frames.js";
import { Intake } from "../../../src/daemon/transfer/line/intake.js";
import { longestQuestion } from "../../../src/daemon/transfer/line/serve.js";
import { Seal } from "../../../src/daemon/transfer/line/seal.js";
import { cuttable, destination, id, scratch, type Destination, type Scratch } from "./ends.js";

let at: Scratch;
let to: Destination;
let client: PeerClient;
let peer: { host: string; port: number };

beforeEach(async () => {
  at = scratch();
  to = await destination(at, "direct", { silence: 300 });
  client = connectPeer(to.peer, { id, silence: 2000 });
  peer = to.peer as typeof peer;
});
afterEach(async () => {
  client.close();
  await to.close();
  at.remove();
});

const bytes = randomBytes(100_000);
const segment: Segment = {
  file: "final/pages-1.img",
  offset: 0,
  length: bytes.length,
  digest: digestOf(bytes),
};
const bundle = Buffer.concat([bundleHead([segment]), bytes]);

const issue = (): Promise<LineKey> => client.post("line", {}, LineKey, AbortSignal.timeout(3000));

/** A line as the source begins it. */
async function begin(token: string): Promise<Socket> {
  const socket = connect(peer.port, peer.host).on("error", () => undefined);
  await once(socket, "connect");
  socket.write(Buffer.from(token, "hex"));
  return socket;
}

/** What a frame is on the wire. */
async function sealed(seal: Seal, content: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [];
  const tap = {
    cork: () => undefined,
    uncork: () => undefined,
    write: (part: Buffer, done?: () => void) => (parts.push(Buffer.from(part)), done?.(), true),
  };
  await sendFrame(tap as unknown as Socket, seal, [content]);
  return Buffer.concat(parts);
}

async function ended(socket: Socket): Promise<void> {
  socket.resume();
  if (socket.destroyed) return;
  const closed = once(socket, "close", { signal: AbortSignal.timeout(4000) });
  // So it ends where something that it sent was not read any more.
  await closed.catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== "ECONNRESET") throw thrown;
  });
}

test("a bundle, its answer, and the next one", async () => {
  const { token, key } = await issue();
  const [ours, theirs] = [new Seal(key, "source"), new Seal(key, "destination")];
  const intake = Intake.connect(peer);
  const { socket } = intake;
  socket.write(Buffer.from(token, "hex"));
  for (let time = 0; time < 3; time++) {
    await sendFrame(socket, ours, [bundle]);
    expect(await (await Frame.next(intake, theirs)).json(1000, {})).toEqual({ status: 200 });
  }
  expect(to.receiver.received()).toEqual({ segments: [segment] });
  socket.destroy();
});

test("who has no token, or a spent one, gets no answer", async () => {
  const { token } = await issue();
  const first = await begin(token);
  for (const wrong of ["00".repeat(16), token]) await ended(await begin(wrong));
  expect(to.receiver.received()).toEqual({ segments: [] });
  first.destroy();
});

test("who says nothing, or not all of a token, is let go", async () => {
  const [silent, slow] = [await begin(""), await begin("00")];
  await Promise.all([silent, slow].map((socket) => once(socket.resume(), "close")));
}, 10_000);

test("lines that say who they are too slowly count among the connections that are open at once", async () => {
  const sockets: Socket[] = [];
  while (sockets.length < 16) sockets.push(await begin("00"));
  await pause(100);
  const refused = await begin("00");
  await once(refused.resume(), "close", { signal: AbortSignal.timeout(2000) });
  expect(sockets.map(({ destroyed }) => destroyed)).not.toContain(true);
  for (const socket of sockets) socket.destroy();
});

test.each([
  ["the kind", 0, 128],
  ["the length", 3, 1],
  ["the content", 5000, 1],
  ["the seal", -1, 1],
])("a bit that turns in %s ends the line, and nothing is kept", async (_, place, bit) => {
  const { token, key } = await issue();
  const frame = await sealed(new Seal(key, "source"), bundle);
  const turned = place < 0 ? frame.length + place : place;
  frame[turned] = (frame[turned] ?? 0) ^ bit;
  const socket = await begin(token);
  socket.write(frame);
  // A length that is too great makes it wait for more: then it is the silence that ends it.
  await ended(socket);
  expect(to.receiver.received()).toEqual({ segments: [] });
});

test("a frame that comes twice, or out of turn, or on another line, ends the line", async () => {
  const { token, key } = await issue();
  const seal = new Seal(key, "source");
  const [first, second] = [await sealed(seal, bundle), await sealed(seal, bundle)];
  const twice = await begin(token);
  twice.write(Buffer.concat([first, first]));
  await ended(twice);
  for (const frame of [first, second]) {
    const socket = await begin((await issue()).token);
    socket.write(frame);
    await ended(socket);
  }
});

test("what is too long is refused, and the line goes on", async () => {
  await expect(
    client.put([segment], Buffer.alloc(longestBundle), AbortSignal.timeout(3000)),
  ).rejects.toMatchObject({ fault: { kind: "refused", status: 413 } });
  await client.put([segment], bytes, AbortSignal.timeout(3000));
  expect(to.receiver.received()).toEqual({ segments: [segment] });
});

const Said = z.looseObject({ by: z.string() });

test("a short question goes over a line, a long one over HTTP, one that is refused leaves the line good", async () => {
  const ask = (route: string, body: unknown): Promise<unknown> =>
    client.post(route, body, Said, AbortSignal.timeout(3000));
  expect(await ask("echo", { text: "frozen" })).toEqual({ by: "line", body: { text: "frozen" } });
  await expect(ask("nothing", {})).rejects.toMatchObject({
    fault: { kind: "refused", status: 404, code: "NOT_FOUND" },
  });
  expect(await ask("echo", { text: "x".repeat(20_000) })).toEqual({ by: "http" });
  expect(await ask("long", {})).toEqual({ by: "line", text: "x".repeat(300_000) });
  await client.put([segment], bytes, AbortSignal.timeout(3000));
  expect(to.answered).toEqual(["POST 200", "line echo", "line nothing", "POST 200", "line long"]);
});

test("a question that is not JSON, or too long, ends the line", async () => {
  for (const content of [Buffer.from("no"), Buffer.alloc(longestQuestion + 1)]) {
    const { token, key } = await issue();
    const socket = await begin(token);
    const tap: Buffer[] = [];
    const head = Buffer.alloc(4);
    head.writeUInt32BE(2 ** 31 + content.length);
    const cipher = new Seal(key, "source").next(head);
    tap.push(head, cipher.update(content), cipher.final(), cipher.getAuthTag());
    socket.write(Buffer.concat(tap));
    await ended(socket);
  }
  expect(to.answered.filter((said) => said !== "line line" && said !== "POST 200")).toEqual([]);
});

test("nothing of it can be read on the way", async () => {
  const seen: Buffer[] = [];
  const way = await cuttable(at, to.peer, (_, chunk) => seen.push(Buffer.from(chunk)));
  const through = connectPeer(way.peer, { id, silence: 2000 });
  await through.put([segment], bytes, AbortSignal.timeout(3000));
  const all = Buffer.concat(seen);
  expect(all.length).toBeGreaterThan(bytes.length);
  expect([all.includes(bytes.subarray(5000, 5032)), all.includes(segment.file)]).toEqual([false, false]);
  through.close();
  way.close();
});

test("through the relay there are no lines", async () => {
  const other = scratch();
  const relay = await destination(other, "relay");
  const asks = connectPeer(relay.peer, { id });
  await asks.put([segment], bytes, AbortSignal.timeout(3000));
  expect(relay.answered).toEqual(["PUT 200"]);
  expect(to.answered).toEqual([]);
  asks.close();
  await relay.close();
  other.remove();
});
