import { describe, expect, test } from "@jest/globals";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { PidLine } from "../../../src/remote/ssh/pid-line.js";
import { Slots } from "../../../src/remote/ssh/slots.js";

describe("the line that tells the process id", () => {
  async function through(...chunks: string[]): Promise<{ rest: string; pid: number | undefined }> {
    const line = new PidLine();
    let pid: number | undefined;
    void line.pid.then((told) => (pid = told));
    const input = new PassThrough();
    for (const chunk of chunks) input.write(chunk);
    input.end();
    const rest = await text(input.pipe(line));
    return { rest, pid };
  }

  test.each([
    [["fastmig-pid:42\nerror\n"], "error\n", 42],
    [["fastmig", "-pid:4", "2\nerr", "or\n"], "error\n", 42],
    [["motd\nfastmig-pid:42\n"], "motd\n", 42],
    [["error without it\n"], "error without it\n", undefined],
    [["fastmig-pid:42"], "fastmig-pid:42", undefined],
    [["fastmig-pid:1\nfastmig-pid:2\n"], "fastmig-pid:2\n", 1],
    [[], "", undefined],
  ])("%j", async (chunks, rest, pid) => {
    expect(await through(...chunks)).toEqual({ rest, pid });
  });

  test("is not waited for longer than 64 KiB", async () => {
    const much = "x".repeat(70_000);
    expect((await through(much, "fastmig-pid:1\n")).rest).toBe(`${much}fastmig-pid:1\n`);
  });
});

describe("slots", () => {
  test("who comes late waits, first come first served", async () => {
    const slots = new Slots(1);
    const order: number[] = [];
    const first = await slots.take();
    const second = slots.take().then((give) => (order.push(2), give));
    const third = slots.take().then((give) => (order.push(3), give));
    first();
    first();
    (await second)();
    (await third)();
    expect(order).toEqual([2, 3]);
  });

  test("giving back twice frees one slot only", async () => {
    const slots = new Slots(1);
    const give = await slots.take();
    give();
    give();
    await slots.take();
    let taken = false;
    void slots.take().then(() => (taken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
  });

  test("who gives up leaves the line", async () => {
    const slots = new Slots(1);
    const give = await slots.take();
    const controller = new AbortController();
    const gone = slots.take(controller.signal);
    const next = slots.take();
    controller.abort(new Error("stop"));
    await expect(gone).rejects.toThrow("stop");
    give();
    await next;
    await expect(slots.take(AbortSignal.abort(new Error("never")))).rejects.toThrow("never");
  });
});
