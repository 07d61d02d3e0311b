import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { joinRuns } from "../../../src/criu/pagemap.js";
import { encode, fields } from "../../../src/criu/protobuf.js";

const present = 4;
const inParent = 1;

interface Entry {
  address: number;
  pages: number;
  flags: number;
  /** As CRIU wrote it before 4.2: the pages counted in field 2 alone. */
  old?: boolean;
}

function message(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

function pagemap(entries: readonly Entry[]): Buffer {
  const magic = Buffer.alloc(8);
  magic.writeUInt32LE(0x54564319, 0);
  magic.writeUInt32LE(0x56084025, 4);
  const bodies = entries.map(({ address, pages, flags, old = false }) =>
    encode([
      { number: 1, value: address },
      { number: 2, value: old ? pages : 0 },
      { number: 4, value: flags },
      ...(old ? [] : [{ number: 5, value: pages }]),
    ]),
  );
  return Buffer.concat([magic, message(encode([{ number: 1, value: 7 }])), ...bodies.map(message)]);
}

/** Read back by hand, from the bytes. */
function entriesOf(image: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 8; at < image.length;) {
    const length = image.readUInt32LE(at);
    const of = new Map(
      fields(image.subarray(at + 4, at + 4 + length))?.map(({ number, value }) => [number, Number(value)]),
    );
    const old = !of.has(5);
    if (at > 8)
      entries.push({
        ...{ address: of.get(1) ?? NaN, pages: of.get(old ? 2 : 5) ?? NaN, flags: of.get(4) ?? NaN },
        ...(old && { old }),
      });
    at += 4 + length;
  }
  return entries;
}

/** Every page in the list's order: that of the pages image. */
function pagesOf(image: Buffer): string[] {
  return entriesOf(image).flatMap(({ address, pages, flags }) =>
    Array.from({ length: pages }, (_, at) => `${address + at * 4096} ${flags}`),
  );
}

const base = 0x7f12_3456_7000;
const at = (page: number, pages: number, flags = present): Entry => ({
  ...{ address: base + page * 4096, pages, flags },
});

describe("runs of pages", () => {
  test.each<[string, Entry[], Entry[]]>([
    ["that follow each other are one", [at(0, 2), at(2, 2), at(4, 1)], [at(0, 5)]],
    ["with a hole between them stay two", [at(0, 2), at(3, 2)], [at(0, 2), at(3, 2)]],
    [
      "of which one is the parent's stay two",
      [at(0, 2), at(2, 2, inParent), at(4, 2, inParent)],
      [at(0, 2), at(2, 4, inParent)],
    ],
    [
      "that lie side by side in memory but not in the list stay as they are",
      [at(2, 2), at(0, 2)],
      [at(2, 2), at(0, 2)],
    ],
    [
      "as an older CRIU lists them",
      [at(0, 2), at(2, 3)].map((one) => ({ ...one, old: true })),
      [{ ...at(0, 5), old: true }],
    ],
    ["none at all", [], []],
  ])("%s", (_title, entries, joined) => {
    expect(entriesOf(joinRuns(pagemap(entries)))).toEqual(joined);
  });

  test("whatever they are, the same pages stay in the same order, and none can be joined any more", () => {
    const entry = fc.record({
      address: fc.integer({ min: 0, max: 30 }).map((page) => base + page * 4096),
      pages: fc.integer({ min: 1, max: 4 }),
      flags: fc.constantFrom(present, inParent),
      old: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const image = pagemap(entries);
        const joined = joinRuns(image);
        expect(pagesOf(joined)).toEqual(pagesOf(image));
        expect(joinRuns(joined)).toEqual(joined);
      }),
    );
  });

  test("what is not such an image is left as it is", () => {
    const image = pagemap([at(0, 2), at(2, 2)]);
    const odd = [
      Buffer.alloc(0),
      image.subarray(0, image.length - 1),
      Buffer.concat([Buffer.alloc(8), image.subarray(8)]),
      Buffer.concat([image, message(encode([{ number: 6, value: 1 }]))]),
      Buffer.concat([image, message(Buffer.from([0xff]))]),
    ];
    for (const one of odd) expect(joinRuns(one)).toBe(one);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        joinRuns(Buffer.concat([image, Buffer.from(noise)]));
      }),
    );
  });
});
