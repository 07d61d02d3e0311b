import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Segment } from "../../../src/daemon/api.js";
import { bundleHead } from "../../../src/daemon/transfer/bundle.js";
import { connectPeer } from "../../../src/daemon/transfer/client.js";
import { openReceiver, type Receiver } from "../../../src/daemon/transfer/receiver.js";
import { digestOf } from "../../../src/daemon/transfer/digest.js";
import { segmentSize, type FinalFile } from "../../../src/daemon/transfer/segment.js";
import { destination, id, me, scratch, type Destination, type Scratch } from "./ends.js";

const segmentOf = (file: string, offset: number, bytes: Buffer): Segment => ({
  file,
  offset,
  length: bytes.length,
  digest: digestOf(bytes),
});

let at: Scratch;
let to: Destination;
beforeAll(async () => {
  at = scratch();
  to = await destination(at, "relay", { silence: 300 });
});
afterAll(async () => {
  await to.close();
  at.remove();
});

const good = randomBytes(1000);
const base = segmentOf("final/pages-1.img", 0, good);

interface Case {
  what: string;
  query: Record<string, string>;
  body: Buffer;
}

const text = (segment: Segment): Record<string, string> =>
  Object.fromEntries(Object.entries(segment).map(([key, value]) => [key, String(value)]));

/** A segment with one thing wrong; `status` is what must come back. */
const wrong: fc.Arbitrary<Case & { status: number }> = fc.oneof(
  fc
    .nat({ max: good.length - 1 })
    .map((cut) => ({ what: "cut short", query: text(base), body: good.subarray(0, cut), status: 400 })),
  fc.integer({ min: 1, max: 5000 }).map((more) => ({
    what: "too long",
    query: text(base),
    body: Buffer.concat([good, Buffer.alloc(more)]),
    status: 413,
  })),
  fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 1, max: 255 })).map(([place, bits]) => {
    const body = Buffer.from(good);
    body[place] = (body[place] ?? 0) ^ bits;
    return { what: "damaged", query: text(base), body, status: 400 };
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
    .map((file) => ({ what: "path trick", query: { ...text(base), file }, body: good, status: 400 })),
  fc
    .string({ maxLength: 30 })
    .filter((name) => !/^((final|[1-9][0-9]{0,3})\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name))
    .map((file) => ({ what: "odd name", query: { ...text(base), file }, body: good, status: 400 })),
  fc
    .integer({ min: 1, max: 2 ** 45 })
    .filter((offset) => offset % segmentSize !== 0)
    .map((offset) => ({
      what: "crooked offset",
      query: { ...text(base), offset: String(offset) },
      body: good,
      status: 400,
    })),
  fc
    .constantFrom("-1", "1e3", "0x10", "1.5", "", " 1", "99999999999999999999", "NaN")
    .map((offset) => ({ what: "no offset", query: { ...text(base), offset }, body: good, status: 400 })),
  fc.integer({ min: segmentSize + 1, max: 2 ** 50 }).map((length) => ({
    what: "oversized",
    query: { ...text(base), length: String(length) },
    body: good,
    status: 413,
  })),
  fc.integer({ min: 240, max: 2 ** 20 }).map((at) => ({
    what: "beyond the limit",
    query: { ...text(base), file: `core-${at}.img`, offset: "0", length: String(segmentSize) },
    body: good,
    status: 400,
  })),
  fc
    .constantFrom("", "0".repeat(31), "G".repeat(32), base.digest.toUpperCase().replace(/[0-9]/g, "A"))
    .map((digest) => ({
      what: "no digest",
      query: { ...text(base), digest },
      body: good,
      status: 400,
    })),
  fc.constantFrom("file", "offset", "length", "digest").map((key) => {
    const { [key]: _, ...query } = text(base);
    return { what: `without ${key}`, query, body: good, status: 400 };
  }),
);

test("500 segments with something wrong: refused by status, nothing kept, the line still good", async () => {
  await put(text(base), good);
  await fc.assert(
    fc.asyncProperty(wrong, async ({ query, body, status }) => {
      expect(await put(query, body)).toBe(status);
      expect(to.receiver.received()).toEqual({ segments: [base] });
    }),
    { numRuns: 500 },
  );
  expect(readdirSync(at.destination)).toEqual(["final"]);
  expect(readdirSync(join(at.destination, "final"))).toEqual(["pages-1.img"]);
  expect(readFileSync(join(at.destination, "final/pages-1.img")).equals(good)).toBe(true);
  expect(existsSync(join(at.path, "x"))).toBe(false);
}, 30_000);

test("of a bundle with something wrong nothing is kept", async () => {
  const [first, second] = [segmentOf("final/core-1.img", 0, good), segmentOf("final/core-2.img", 0, good)];
  const bodies = [
    Buffer.concat([bundleHead([first, { ...second, digest: base.digest.replace(/^./, "x") }]), good, good]),
    Buffer.concat([bundleHead([first, { ...second, digest: digestOf(Buffer.alloc(1)) }]), good, good]),
    Buffer.concat([bundleHead([first, { ...second, offset: 5 }]), good, good]),
    Buffer.concat([bundleHead([first, second]), good]),
  ];
  for (const body of bodies) expect(await put({ bundle: "" }, body)).toBe(400);
  expect(to.receiver.received()).toEqual({ segments: [base] });
  expect(await put({ bundle: "" }, Buffer.alloc(segmentSize + 1))).toBe(413);
});

test("a sender that stops in the middle is let go, and the next one served", async () => {
  const client = connectPeer(to.peer, { id, silence: 3000 });
  const stuck = request({
    socketPath: socket(),
    method: "PUT",
    path: target(text(base)),
    headers: { "content-length": 1000 },
  });
  const ended = new Promise((resolve) =>
    stuck.on("error", resolve).on("response", (answer) => resolve(answer.statusCode)),
  );
  stuck.write(good.subarray(0, 10));
  await expect(client.put([base], good, AbortSignal.timeout(3000))).resolves.toBeUndefined();
  await ended;
  client.close();
});

// ---- the final list ---------------------------------------------------------------------------------------------

const stores: { close(): Promise<void>; at: Scratch }[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) {
    await store.close();
    store.at.remove();
  }
});

async function store(): Promise<{ at: Scratch; receiver: Receiver }> {
  const at = scratch();
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
        [...all, ...again].map(({ segment, part }) => receiver.receive(segment, Readable.from([part]))),
      );
      await receiver.verifyFinal(list, me);
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
  for (const { segment, part } of pieces) await receiver.receive(segment, Readable.from([part]));
  // An empty file that is missing from the list is no difference in what arrived.
  const told = spoilt.filter(
    (spoiltList) => spoiltList.length !== 2 || spoiltList.some(({ size }) => size === 0),
  );
  await fc.assert(
    fc.asyncProperty(told, async (spoiltList) => {
      await expect(receiver.verifyFinal(spoiltList, me)).rejects.toMatchObject({
        status: 409,
        code: "INCOMPLETE",
      });
    }),
    { numRuns: 200 },
  );
  await receiver.verifyFinal(list, me);
  for (const [file, bytes] of files)
    expect(readFileSync(join(at.destination, file)).equals(bytes)).toBe(true);
});

test("after the list nothing more is taken", async () => {
  const { receiver } = await store();
  for (const { segment, part } of pieces) await receiver.receive(segment, Readable.from([part]));
  await receiver.verifyFinal(list, me);
  const more = segmentOf("final/more.img", 0, good);
  await expect(receiver.receive(more, Readable.from([good]))).rejects.toMatchObject({
    status: 409,
    code: "SEALED",
  });
  await expect(receiver.receive(pieces[0]?.segment ?? more, Readable.from([good]))).rejects.toMatchObject({
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
    await expect(receiver.receive(segmentOf(file, 0, good), Readable.from([good]))).rejects.toThrow();
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
  for (let time = 0; time < 3; time++) await receiver.receive(base, Readable.from([good]));
  const second = segmentOf("final/core-1.img", 0, good);
  await expect(receiver.receive(second, Readable.from([good]))).rejects.toMatchObject({
    status: 413,
    code: "TOTAL_TOO_LONG",
  });
});

function put(query: Record<string, string>, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket(), method: "PUT", path: target(query) }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
}

function target(query: Record<string, string>): string {
  return `/peer/${id}/segments?${new URLSearchParams(query).toString()}`;
}

function socket(): string {
  if (to.peer.transport !== "relay") throw new Error("no socket");
  return to.peer.socket;
}
