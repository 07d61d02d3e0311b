import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Peer, TransferProgress } from "../../../src/daemon/api.js";
import { connectPeer } from "../../../src/daemon/transfer/client.js";
import { rehearse } from "../../../src/daemon/transfer/rehearsal.js";
import type { Receiver } from "../../../src/daemon/transfer/receiver.js";
import { segmentSize } from "../../../src/daemon/transfer/segment.js";
import { createShipper, type Shipper, type ShipperOptions } from "../../../src/daemon/transfer/shipper.js";
import { pause, waitFor } from "../../../src/wait.js";
import { cuttable, destination, id, me, scratch, type Scratch } from "./ends.js";

let at: Scratch;
let ends: { close(): void | Promise<void> }[];

beforeEach(() => {
  at = scratch();
  ends = [{ close: () => at.remove() }];
});

afterEach(async () => {
  for (const end of ends.reverse()) await end.close();
});

const until = <T extends { close(): void | Promise<void> }>(end: T): T => {
  ends.push(end);
  return end;
};

function shipper(peer: Peer, options: Partial<ShipperOptions> = {}): Shipper {
  const client = until(connectPeer(peer, { id, silence: 2000 }));
  return until(
    createShipper({
      root: at.source,
      directories: ["final", ""],
      client,
      signal: AbortSignal.timeout(20_000),
      onProgress: () => undefined,
      ...options,
    }),
  );
}

function images(): Map<string, Buffer> {
  const files = new Map([
    ["final/pages-1.img", randomBytes(3 * segmentSize + 4321)],
    ["final/pages-2.img", randomBytes(segmentSize)],
    ["final/inventory.img", randomBytes(40)],
    ["final/empty.img", Buffer.alloc(0)],
    ["preserve.tar", randomBytes(100_000)],
  ]);
  for (const [file, bytes] of files) writeFileSync(join(at.source, file), bytes);
  return files;
}

/** Waits until the destination has so many bytes. */
async function arrived(receiver: Receiver, bytes: number): Promise<void> {
  const look = async (): Promise<true | undefined> => receiver.progress().bytes >= bytes || undefined;
  await waitFor(`${bytes} bytes to arrive`, look, { timeout: 5000, interval: 1 });
}

function expectArrived(files: Map<string, Buffer>): void {
  for (const [file, bytes] of files) {
    expect(readFileSync(join(at.destination, file)).equals(bytes)).toBe(true);
    expect(statSync(join(at.destination, file)).mode & 0o777).toBe(0o600);
  }
}

describe.each<Peer["transport"]>(["relay", "direct"])("%s", (transport) => {
  test("every file arrives as it is", async () => {
    const files = images();
    const to = until(await destination(at, transport));
    const seen: TransferProgress[] = [];
    const list = await shipper(to.peer, { onProgress: (progress) => seen.push(progress) }).finish();
    to.receiver.verifyFinal(list, me);
    expectArrived(files);
    const total = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    // Three whole segments of the first file, one of the second, and what is small together.
    expect(seen).toHaveLength(5);
    expect(seen.at(-1)).toEqual({ bytes: total, total, files: 5 });
    expect(to.receiver.progress()).toEqual({ bytes: total, files: 4 });
  });

  test("a rehearsal leaves nothing behind, and the same client ships after it", async () => {
    const files = images();
    const to = until(await destination(at, transport));
    const client = until(connectPeer(to.peer, { id }));
    const put = jest.spyOn(client, "put");
    await rehearse(client, 2 ** 30, AbortSignal.timeout(5000));
    expect(put).toHaveBeenCalled();
    await expect(Promise.all(put.mock.results.map(({ value }) => value))).resolves.toBeDefined();
    expect(to.receiver.progress()).toEqual({ bytes: 0, files: 0 });
    const list = await shipper(to.peer, { client }).finish();
    to.receiver.verifyFinal(list, me);
    expectArrived(files);
  });

  test("a pages image goes while it is written, the rest when it is done", async () => {
    const to = until(await destination(at, transport));
    const from = shipper(to.peer);
    from.follow();
    const [pages, other] = [randomBytes(2 * segmentSize + 99), randomBytes(segmentSize)];
    writeFileSync(join(at.source, "final/core-1.img"), other);
    for (let written = 0; written < pages.length; written += 700_000) {
      appendFileSync(join(at.source, "final/pages-1.img"), pages.subarray(written, written + 700_000));
      await pause(1);
    }
    await arrived(to.receiver, 2 * segmentSize);
    expect(to.receiver.progress().bytes).toBe(2 * segmentSize);
    const list = await from.finish();
    to.receiver.verifyFinal(list, me);
    expectArrived(
      new Map([
        ["final/pages-1.img", pages],
        ["final/core-1.img", other],
      ]),
    );
  });

  test("a line that breaks again and again costs time, not bytes", async () => {
    const files = images();
    const to = until(await destination(at, transport));
    let through = 0;
    const line = until(
      await cuttable(at, to.peer, (bytes) => {
        through += bytes;
        if (through > 1.5 * segmentSize) {
          through = 0;
          line.cut();
        }
      }),
    );
    const list = await shipper(line.peer, { atOnce: 1 }).finish();
    to.receiver.verifyFinal(list, me);
    expectArrived(files);
  });

  test("a destination that starts again in between keeps what it had", async () => {
    const files = images();
    const first = await destination(at, transport);
    const from = shipper(first.peer, { atOnce: 1 });
    from.follow();
    await arrived(first.receiver, 1);
    await first.close();
    const second = until(await destination(at, transport, { again: first.peer }));
    expect(second.receiver.progress().bytes).toBeGreaterThan(0);
    const list = await from.finish();
    second.receiver.verifyFinal(list, me);
    expectArrived(files);
  });

  test("what a destination has lost is sent again", async () => {
    const files = images();
    const first = await destination(at, transport);
    const from = shipper(first.peer, { atOnce: 1 });
    from.follow();
    await arrived(first.receiver, 4 * segmentSize);
    expect(first.receiver.progress().bytes).toBe(4 * segmentSize);
    await first.close();
    writeFileSync(join(at.destination, "final/pages-1.img"), "something else");
    const second = until(await destination(at, transport, { again: first.peer }));
    expect(second.receiver.progress().bytes).toBe(segmentSize);
    const list = await from.finish();
    second.receiver.verifyFinal(list, me);
    expectArrived(files);
  });

  test("a refusal ends it and says why", async () => {
    images();
    const to = until(await destination(at, transport, { maxTotal: 2 * segmentSize }));
    await expect(shipper(to.peer).finish()).rejects.toMatchObject({
      fault: { kind: "refused", status: 413, code: "TOTAL_TOO_LONG" },
    });
  });

  test("a destination that cannot write says so", async () => {
    images();
    const to = until(await destination(at, transport));
    writeFileSync(join(at.destination, "final"), "a file where a directory belongs");
    await expect(shipper(to.peer).finish()).rejects.toMatchObject({
      fault: { kind: "refused", status: 500 },
    });
  });

  test("closing in the middle leaves nothing under way", async () => {
    images();
    const to = until(await destination(at, transport, { before: () => pause(10_000, lease.signal) }));
    const lease = new AbortController();
    const from = shipper(to.peer);
    const list = from.finish().catch((thrown: unknown) => thrown);
    await pause(50);
    await from.close();
    expect(await list).toMatchObject({ message: "the transfer was closed" });
    lease.abort();
  });
});

test("nobody there: rehearsing it is no error", async () => {
  const client = until(connectPeer({ transport: "relay", socket: join(at.path, "nobody") }, { id }));
  await expect(rehearse(client, 2 ** 30, AbortSignal.timeout(5000))).resolves.toBeUndefined();
});

test("nobody there: tried until the caller's signal says stop", async () => {
  images();
  const lease = new AbortController();
  const list = shipper(
    { transport: "relay", socket: join(at.path, "nobody") },
    { signal: lease.signal },
  ).finish();
  setTimeout(() => lease.abort(new Error("the lease is over")), 300);
  await expect(list).rejects.toThrow("the lease is over");
});

test("a file that shrinks, or is none, is an error of the source", async () => {
  const to = until(await destination(at, "relay"));
  const pages = join(at.source, "final/pages-1.img");
  writeFileSync(pages, randomBytes(segmentSize));
  const from = shipper(to.peer);
  from.follow();
  await arrived(to.receiver, 1);
  writeFileSync(pages, "");
  await expect(from.finish()).rejects.toThrow("has shrunk");
});

test.each([
  ["a link", () => symlinkSync("/etc/passwd", join(at.source, "final/a.img")), "is no file"],
  ["a directory", () => mkdirSync(join(at.source, "final/a.img")), "is no file"],
  ["an odd name", () => writeFileSync(join(at.source, "final/a b"), ""), "is no name"],
])("%s among the images is refused", async (_, make, message) => {
  make();
  const to = until(await destination(at, "relay"));
  await expect(shipper(to.peer).finish()).rejects.toThrow(message);
});
