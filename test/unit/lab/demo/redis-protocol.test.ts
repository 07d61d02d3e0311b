import { expect, test } from "@jest/globals";
import { RedisError, takeReply } from "../../../../src/lab/demo/redis-protocol.js";

test.each([
  ["+OK\r\n", "OK"],
  [":42\r\n", 42],
  ["$5\r\nhello\r\n", "hello"],
  ["$-1\r\n", null],
  ["*3\r\n$1\r\na\r\n$-1\r\n:1\r\n", ["a", null, 1]],
])("%j is %j, and nothing before its last byte", (text, reply) => {
  const bytes = Buffer.from(text);
  expect(takeReply(bytes, 0)).toEqual({ reply, next: bytes.length });
  for (let end = 0; end < bytes.length; end += 1)
    expect(takeReply(bytes.subarray(0, end), 0)).toBeUndefined();
});

test("an error is an answer too", () => {
  const taken = takeReply(Buffer.from("-ERR no\r\n"), 0);
  expect(taken?.reply).toBeInstanceOf(RedisError);
});
