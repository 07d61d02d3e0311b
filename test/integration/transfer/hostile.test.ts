import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { LineKey, type Peer, type Segment } from "../../../src/daemon/api.js";
import { bundleHead, longestBundle } from "../../../src/daemon/transfer/bundle.js";
import { connectPeer, type PeerClient } from "../../../src/daemon/transfer/client.js";
import { exchange } from "../../../src/daemon/transfer/exchange.js";
import { LinePool } from "../../../src/daemon/transfer/line/client.js";
import { openReceiver, type Receiver } from "../../../src/daemon/transfer/receiver.js";
import { digestOf } from "../../../src/daemon/transfer/digest.js";
import { segmentSize, type FinalFile } from "../../../src/daemon/transfer/segment.js";
import { bundleOf, destination, id, me, scratch, type Destination, type Scratch } from "./ends.js";

const segmentOf = (file: string, offset: number, bytes: Buffer): Segment => ({
  file,
  offset,
  length: bytes.length,
  digest: digestOf(bytes),
});

const transports: Peer["transport"][] = ["relay", "direct"];
let at: Scratch;
let to: Destination;
let client: PeerClient;
/** Sends a bundle that our client would not; resolves to the status that comes back. */
let put: (listed: object[], bytes: Buffer) => Promise<number>;

const good = randomBytes(1000);
const base = segmentOf("final/pages-1.img", 0, good);

interface Case {
  what: string;
  listed: object;
  body: Buffer;
}

/** A segment with one thing wrong; `status` is what must come back. */
const wrong: fc.Arbitrary<Case & { status: number }> = fc.oneof(
  fc
    .nat({ max: good.length - 1 })
    .map((cut) => ({ what: "cut short", listed: base, body: good.subarray(0, cut), status: 400 })),
  fc.integer({ min: 1, max: 5000 }).map((more) => ({
    what: "too long",
    listed: base,
    body: Buffer.concat([good, Buffer.alloc(more)]),
    status: 400,
  })),
  fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([place, bits]) => {
    const body = Buffer.from(good);
    body[place] = (body[place] ?? 0) ^ bits;
    return { what: "damaged", listed: base, body, status: 400 };
  }),
  fc
    .constantFrom(
      "../x",
      "/etc/passwd",
      "final/../../x",
      "final/./x",
      "a/b",
      "",
      ".",
      "..",
      "final/",
      "0/x",
      "final/x/y",
      "final/\0",
      "-x",
      "x".repeat(200),
      "final%2f..%2fx",
    )
    .map((file) => ({ what: "path trick", listed: { ...base, file }, body: good, status: 400 })),
  fc
    .string({ maxLength: 30 })
    .filter((name) => !/^((final|[1-9][0-9]{0,3})\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name))
    .map((file) => ({ what: "odd name", listed: { ...base, file }, body: good, status: 400 })),
  fc
    .integer({ min: 1, max: 2 ** 45 })
    .filter((offset) => offset % segmentSize !== 0)
    .map((offset) => ({
      what: "crooked offset",
      listed: { ...base, offset },
      body: good,
      status: 400,
    })),
  fc
    .constantFrom(-1, 1.5, 1e300, "1", "", " 1", null, [], { toString: 1 })
    .map((offset) => ({ what: "no offset", listed: { ...base, offset }, body: good, status: 400 })),
  fc.integer({ min: segmentSize + 1, max: 2 ** 50 }).map((length) => ({
    what: "oversized",
    listed: { ...base, length },
    body: good,
    status: 400,
  })),
  fc.integer({ min: 240, max: 2 ** 20 }).map((at) => ({
    what: "beyond the limit",
    listed: { ...base, file: `core-${at}.img`, offset: 0, length: segmentSize },
    body: good,
    status: 400,
  })),
  fc
    .constantFrom("", "0".repeat(31), "G".repeat(32), digestOf(good).toUpperCase().replace(/[0-9]/g, "A"))
    .map((digest) => ({
      what: "no digest",
      listed: { ...base, digest },
      body: good,
      status: 400,
    })),
  fc.constantFrom("file", "offset", "length").map((key) => {
    const { [key]: _, ...listed } = base;
    return { what: `without ${key}`, listed, body: good, status: 400 };
  }),
);

describe.each(transports)("%s", (transport) => {
  beforeAll(async () => {
    at = scratch();
    to = await destination(at, transport, { silence: 300 });
    client = connectPeer(to.peer, { id, silence: 3000 });
    put = putTo(to.peer);
    await client.put([base], good, AbortSignal.timeout(3000));
  });
  afterAll(async () => {
    client.close();
    await to.close();
    at.remove();
  });

  test("500 segments with something wrong: refused by status, nothing kept, the line still good", async () => {
    await fc.assert(
      fc.asyncProperty(wrong, async ({ listed, body, status }) => {
        expect(await put([listed], body)).toBe(status);
        expect(to.receiver.received()).toEqual({ segments: [base] });
      }),
      { numRuns: 500 },
    );
    expect(readdirSync(at.destination)).toEqual(["final"]);
    expect(readdirSync(join(at.destination, "final"))).toEqual(["pages-1.img"]);
    expect(readFileSync(join(at.destination, "final/pages-1.img")).equals(good)).toBe(true);
    expect(existsSync(join(at.path, "x"))).toBe(false);
    expect(await put([base], good)).toBe(200);
  }, 30_000);

  test("without a digest it is taken only where a seal proves it", async () => {
    const { digest: _, ...bare } = base;
    expect(await put([bare], good)).toBe(transport === "direct" ? 200 : 400);
    expect(to.receiver.received()).toEqual({ segments: [transport === "direct" ? bare : base] });
  });

  test("of a bundle with something wrong nothing is kept", async () => {
    const [first, second] = [segmentOf("final/core-1.img", 0, good), segmentOf("final/core-2.img", 0, good)];
    const twice = Buffer.concat([good, good]);
    const before = to.receiver.received();
    expect(await put([first, { ...second, digest: digestOf(good).replace(/^./, "x") }], twice)).toBe(400);
    expect(await put([first, { ...second, digest: digestOf(Buffer.alloc(1)) }], twice)).toBe(400);
    expect(await put([first, { ...second, offset: 5 }], twice)).toBe(400);
    expect(await put([first, second], good)).toBe(400);
    expect(await put([base], Buffer.alloc(longestBundle))).toBe(413);
    expect(to.receiver.received()).toEqual(before);
  });
});

test("without a digest there has to be a seal; then the next daemon believes what is as long as it was", async () => {
  const { at, receiver } = await store();
  const { digest: _, ...bare } = base;
  await expect(receiver.receive(bundleOf(bare, good))).rejects.toMatchObject({ status: 400, code: "BUNDLE" });
  expect(receiver.received()).toEqual({ segments: [] });
  await receiver.receive(bundleOf(bare, good), true);
  expect(receiver.received()).toEqual({ segments: [bare] });
  expect((await store(at)).receiver.received()).toEqual({ segments: [bare] });
  truncateSync(join(at.destination, bare.file), good.length - 1);
  expect((await store(at)).receiver.received()).toEqual({ segments: [] });
});

test("a sender that stops in the middle is let go, and the next one served", async () => {
  at = scratch();
  to = await destination(at, "relay", { silence: 300 });
  const { socket: socketPath } = to.peer as { socket: string };
  client = connectPeer(to.peer, { id, silence: 3000 });
  const headers = { "content-length": 1000 };
  const stuck = request({ socketPath, method: "PUT", path: `/peer/${id}/segments`, headers });
  const ended = new Promise((resolve) =>
    stuck.on("error", resolve).on("response", (answer) => resolve(answer.statusCode)),
  );
  stuck.write(good.subarray(0, 10));
  await expect(client.put([base], good, AbortSignal.timeout(3000))).resolves.toEqual([base]);
  await ended;
  client.close();
  await to.close();
  at.remove();
});

// ---- the final list ---------------------------------------------------------------------------------------------

const stores: { close(): Promise<void>; at: Scratch }[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) {
    await store.close();
    store.at.remove();
  }
});

async function store(at = scratch()): Promise<{ at: Scratch; receiver: Receiver }> {
  const receiver = await openReceiver({
    directory: at.destination,
    journal: join(at.path, "journal"),
    maxTotal: 1e9,
  });
  stores.push({ at, close: () => receiver.close() });
  return { at, receiver };
}

const files = new Map([
  ["final/pages-1.img", randomBytes(2 * segmentSize + 17)],
  ["final/core-1000.img", randomBytes(600)],
  ["final/empty.img", Buffer.alloc(0)],
]);
const pieces = [...files].flatMap(([file, bytes]) =>
  Array.from({ length: Math.ceil(bytes.length / segmentSize) }, (_, at) => {
    const part = bytes.subarray(at * segmentSize, (at + 1) * segmentSize);
    return { segment: segmentOf(file, at * segmentSize, part), part };
  }),
);
const list: FinalFile[] = [...files].map(([file, bytes]) => ({
  file,
  size: bytes.length,
  segments: pieces
    .filter(({ segment }) => segment.file === file)
    .map(({ segment: { offset, length, digest } }) => ({ offset, length, digest })),
}));

test("in any order, repeated and several at a time: the files are the same", async () => {
  const order = fc.tuple(
    fc.shuffledSubarray(pieces, { minLength: pieces.length }),
    fc.shuffledSubarray(pieces),
  );
  await fc.assert(
    fc.asyncProperty(order, async ([all, again]) => {
      const { at, receiver } = await store();
      await Promise.all(
        [...all, ...again].map(({ segment, part }) => receiver.receive(bundleOf(segment, part))),
      );
      receiver.verifyFinal(list, me);
      for (const [file, bytes] of files)
        expect(readFileSync(join(at.destination, file)).equals(bytes)).toBe(true);
    }),
    { numRuns: 20 },
  );
}, 30_000);

/** A list that is not what arrived. */
const spoilt: fc.Arbitrary<FinalFile[]> = fc.oneof(
  fc.nat({ max: 2 }).map((at) => list.filter((_, index) => index !== at)),
  fc.nat({ max: 2 }).map((at) => [...list, ...list.slice(at, at + 1)]),
  fc.constant(
    list.concat({
      file: "final/more.img",
      size: 1,
      segments: [{ offset: 0, length: 1, digest: digestOf(good) }],
    }),
  ),
  fc
    .tuple(
      fc.nat({ max: 1 }),
      fc.integer({ min: -600, max: 600 }).filter((by) => by !== 0),
    )
    .map(([at, by]) => changed(at, (file) => ({ ...file, size: file.size + by }))),
  fc.nat({ max: 1 }).map((at) => changed(at, (file) => ({ ...file, segments: file.segments.slice(1) }))),
  fc
    .nat({ max: 1 })
    .map((at) =>
      changed(at, (file) => ({ ...file, segments: [...file.segments, ...file.segments.slice(0, 1)] })),
    ),
  fc.nat({ max: 1 }).map((at) =>
    changed(at, (file) => ({
      ...file,
      segments: file.segments.map((one) => ({ ...one, digest: digestOf(good) })),
    })),
  ),
  fc.integer({ min: 1, max: 100 }).map((by) =>
    changed(0, (file) => ({
      ...file,
      segments: file.segments.map((one) => ({ ...one, offset: one.offset + by })),
    })),
  ),
);

function changed(at: number, change: (file: FinalFile) => FinalFile): FinalFile[] {
  return list.map((file, index) => (index === at ? change(file) : file));
}

test("a list that is not what arrived is refused, whatever is wrong; the right one is then accepted", async () => {
  const { at, receiver } = await store();
  for (const { segment, part } of pieces) await receiver.receive(bundleOf(segment, part));
  // An empty file that is missing from the list is no difference in what arrived.
  const told = spoilt.filter(
    (spoiltList) => spoiltList.length !== 2 || spoiltList.some(({ size }) => size === 0),
  );
  fc.assert(
    fc.property(told, (spoiltList) => {
      expect(() => {
        receiver.verifyFinal(spoiltList, me);
      }).toThrow(expect.objectContaining({ status: 409, code: "INCOMPLETE" }));
    }),
    { numRuns: 200 },
  );
  receiver.verifyFinal(list, me);
  for (const [file, bytes] of files)
    expect(readFileSync(join(at.destination, file)).equals(bytes)).toBe(true);
});

test("after the list nothing more is taken", async () => {
  const { receiver } = await store();
  for (const { segment, part } of pieces) await receiver.receive(bundleOf(segment, part));
  receiver.verifyFinal(list, me);
  const more = segmentOf("final/more.img", 0, good);
  await expect(receiver.receive(bundleOf(more, good))).rejects.toMatchObject({
    status: 409,
    code: "SEALED",
  });
  const [{ segment, part }] = pieces as [{ segment: Segment; part: Buffer }];
  await expect(receiver.receive(bundleOf(segment, part))).rejects.toMatchObject({
    code: "SEALED",
  });
});

test("a link in the place of a file or a directory is not followed", async () => {
  const { at, receiver } = await store();
  const elsewhere = join(at.path, "elsewhere");
  mkdirSync(elsewhere);
  symlinkSync(join(elsewhere, "file"), join(at.destination, "preserve.tar"));
  symlinkSync(elsewhere, join(at.destination, "final"));
  for (const file of ["preserve.tar", "final/core-1.img"]) {
    await expect(receiver.receive(bundleOf(segmentOf(file, 0, good), good))).rejects.toThrow();
  }
  expect(readdirSync(elsewhere)).toEqual([]);
});

test("all together have a limit, a segment that replaces itself counts once", async () => {
  const at = scratch();
  const receiver = await openReceiver({
    directory: at.destination,
    journal: join(at.path, "journal"),
    maxTotal: 1500,
  });
  stores.push({ at, close: () => receiver.close() });
  for (let time = 0; time < 3; time++) await receiver.receive(bundleOf(base, good));
  const second = segmentOf("final/core-1.img", 0, good);
  await expect(receiver.receive(bundleOf(second, good))).rejects.toMatchObject({
    status: 413,
    code: "TOTAL_TOO_LONG",
  });
});

function putTo(peer: Peer): typeof put {
  const within = (): AbortSignal => AbortSignal.timeout(3000);
  const parts = (listed: object[], bytes: Buffer): Buffer[] => [bundleHead(listed as Segment[]), bytes];
  if (peer.transport === "direct") {
    const lines = new LinePool(peer, 3000, () => client.post("line", {}, LineKey, within()));
    return async (listed, bytes) => (await lines.send(parts(listed, bytes), within())).status;
  }
  const target = { agent: new Agent(), where: { socketPath: peer.socket }, secure: false };
  const question = { method: "PUT", path: `/peer/${id}/segments` } as const;
  return (listed, bytes) =>
    exchange(target, { ...question, bytes: parts(listed, bytes), signal: within() }).then(
      ({ status }) => status,
      (thrown: { fault?: { status?: number } }) => thrown.fault?.status ?? 0,
    );
}
