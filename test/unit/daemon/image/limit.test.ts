import { expect, test } from "@jest/globals";
import { setTimeout as pause } from "node:timers/promises";
import { ProgressLimit } from "../../../../src/daemon/image/limit.js";

test("silence for so long is too long", async () => {
  const limit = new ProgressLimit({ lease: 30, deadline: 10_000 });
  await expect(limit.over).rejects.toThrow("nothing went into the image for 30ms");
  limit.end();
});

test("progress puts it off, until the deadline", async () => {
  const limit = new ProgressLimit({ lease: 200, deadline: 400 });
  const going = setInterval(() => limit.progress(), 20);
  await expect(limit.over).rejects.toThrow("the image was not whole within 400ms");
  clearInterval(going);
  limit.end();
});

test("once ended it says nothing any more", async () => {
  const limit = new ProgressLimit({ lease: 20, deadline: 20 });
  limit.end();
  const first = await Promise.race([limit.over.catch(() => "over"), pause(80, "quiet")]);
  expect(first).toBe("quiet");
});
