import { describe, expect, test } from "@jest/globals";
import { remapListeners } from "../../../src/criu/listeners.js";
import { edited, fields } from "../../../src/protobuf.js";

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
const number = (field: number, value: number): Buffer =>
  Buffer.from([...varint(field << 3), ...varint(value)]);
const bytes = (field: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(value.length)]), value]);

/** A file_entry with an inet_sk_entry; 10 is listening, 1 connected; 6 is TCP, 17 UDP. */
function socket(port: number, { state = 10, proto = 6 } = {}): Buffer {
  const inner = Buffer.concat([
    number(1, 7),
    number(5, proto),
    number(6, state),
    number(7, port),
    bytes(13, number(1, 3)),
  ]);
  return Buffer.concat([
    number(1, 2),
    number(2, 7),
    bytes(4, inner),
    Buffer.from([0x29, 1, 2, 3, 4, 5, 6, 7, 8]),
  ]);
}

function image(...messages: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x54564319);
  const parts = messages.flatMap((message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    return [length, message];
  });
  return Buffer.concat([head, ...parts]);
}

describe("listening sockets of an image", () => {
  test("get another port, however long its number; everything else stays as it is", () => {
    const [udp, other] = [
      socket(80, { proto: 17 }),
      Buffer.concat([number(1, 1), bytes(3, Buffer.from("x"))]),
    ];
    const connected = socket(80, { state: 1 });
    const before = image(socket(80), udp, other, connected, socket(8080), socket(9));
    const remapped = remapListeners(before, [
      { from: 80, to: 65_535 },
      { from: 8080, to: 1 },
    ]);
    expect(remapped?.ports).toEqual([80, 8080, 9]);
    expect(remapped?.image).toEqual(image(socket(65_535), udp, other, connected, socket(1), socket(9)));
  });

  test("two ports can take each other's place", () => {
    const swap = [
      { from: 1000, to: 2000 },
      { from: 2000, to: 1000 },
    ];
    expect(remapListeners(image(socket(1000), socket(2000)), swap)?.image).toEqual(
      image(socket(2000), socket(1000)),
    );
  });

  test("what is no image is told as that", () => {
    expect(remapListeners(Buffer.from("nothing of the kind"), [])).toBeUndefined();
  });
});

describe("a message with other values", () => {
  test("is the same where nothing is changed", () => {
    const message = socket(80);
    expect(edited(message, () => undefined)).toEqual(message);
  });

  test("may have longer bytes and larger numbers", () => {
    const message = Buffer.concat([number(1, 5), bytes(2, Buffer.from("a"))]);
    const changed = edited(message, ({ number: which }) => (which === 1 ? 2 ** 40 : Buffer.alloc(300, "b")));
    expect(fields(changed ?? Buffer.alloc(0))).toEqual([
      { number: 1, value: 2 ** 40 },
      { number: 2, value: Buffer.alloc(300, "b") },
    ]);
  });

  test("is none where it was none", () => {
    expect(edited(Buffer.from([0xff]), () => undefined)).toBeUndefined();
  });
});
