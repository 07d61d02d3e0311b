import { expect, test } from "@jest/globals";
import { messagesOf } from "../../../src/criu/images.js";
import { readDump } from "../../../src/criu/tree.js";

/** A field of a message: a number, or bytes. */
type Written = [number: number, value: number | string | Buffer];

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...varint(Math.floor(value / 0x80))];
}

function message(...parts: Written[]): Buffer {
  return Buffer.concat(
    parts.map(([number, value]) => {
      if (typeof value === "number") return Buffer.from([...varint(number * 8), ...varint(value)]);
      const bytes = Buffer.from(value);
      return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
    }),
  );
}

function image(...messages: Buffer[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x54564319);
  return Buffer.concat([
    head,
    ...messages.flatMap((each) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(each.length);
      return [length, each];
    }),
  ]);
}

const loopback = 0x0100007f;
const files = image(
  message([1, 1], [2, 5], [3, message([1, 5], [6, "/data/appendonly.aof"])]),
  message([1, 2], [2, 6], [18, message([1, 6], [2, 77])]),
  message([1, 4], [2, 7], [4, message([3, 2], [5, 6], [6, 10], [7, 6379], [8, 0], [11, 0])]),
  message(
    [1, 4],
    [2, 8],
    [4, message([3, 2], [5, 6], [6, 1], [7, 6379], [8, 40000], [11, loopback], [12, loopback])],
  ),
  message([1, 5], [2, 9], [16, message([1, 9], [11, "\0notify\0"])]),
  message(
    [1, 4],
    [2, 10],
    [4, message([3, 10], [5, 17], [6, 7], [7, 53], [8, 0], [11, 0], [11, 0], [11, 0], [11, 0x01000000])],
  ),
);

const images: Record<string, Buffer> = {
  "pstree.img": image(
    message([1, 1000], [2, 0], [3, 1000], [4, 1000], [5, 1000], [5, 1001]),
    message([1, 1002], [2, 1000], [3, 1000], [4, 1000], [5, 1002]),
  ),
  "core-1000.img": image(message([1, 1], [3, message([5, 2 ** 60], [6, "redis-server"])])),
  "core-1002.img": image(message([1, 1], [3, message([6, "worker"])])),
  "ids-1000.img": image(message([1, 1], [2, 4])),
  "fdinfo-4.img": image(
    ...[5, 6, 7, 8, 9, 10, 11].map((id, at) => message([1, id], [3, at === 6 ? 7 : 1], [4, at + 3])),
  ),
  "files.img": files,
  // The second run is in a parent, and not here.
  "pagemap-1000.img": image(
    message([1, 1]),
    message([1, 4096], [2, 3], [4, 4]),
    message([1, 65536], [2, 9], [4, 1]),
    message([1, 131072], [2, 0], [4, 6], [5, 2]),
  ),
};

test("processes, their memory, files and sockets", async () => {
  const processes = await readDump(async (name) => images[name]);
  expect(processes).toEqual([
    {
      ...{ pid: 1000, parent: 0, name: "redis-server", threads: 2, memory: 5 * 4096 },
      files: [
        { fd: 3, kind: "file", text: "/data/appendonly.aof" },
        { fd: 4, kind: "pipe", text: "pipe 77" },
        { fd: 5, kind: "tcp", text: "0.0.0.0:6379 listening" },
        { fd: 6, kind: "tcp", text: "127.0.0.1:6379 → 127.0.0.1:40000 established" },
        { fd: 7, kind: "unix", text: "@notify" },
        { fd: 8, kind: "udp", text: "[::1]:53" },
        { fd: 9, kind: "eventpoll", text: "" },
      ],
    },
    { pid: 1002, parent: 1000, name: "worker", threads: 1, memory: 0, files: [] },
  ]);
});

test("what is not as CRIU writes it is no image, and is named", async () => {
  expect(messagesOf(Buffer.from("short"))).toBeUndefined();
  expect(messagesOf(Buffer.concat([image(message([1, 1])), Buffer.from([9, 0, 0, 0, 1])]))).toBeUndefined();
  const damaged: Record<string, Buffer> = { ...images, "core-1002.img": Buffer.from("damaged!") };
  await expect(readDump(async (name) => damaged[name])).rejects.toThrow("core-1002.img");
});
