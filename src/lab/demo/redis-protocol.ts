/** Redis' answers (RESP 2), as much of them as this client asks for. */
export type Reply = string | number | null | Reply[];

export class RedisError extends Error {}

type Taken = { reply: Reply | RedisError; next: number };

/** The answer that begins at `at`, and where the next one begins; undefined while it is not complete. */
export function takeReply(bytes: Buffer, at: number): Taken | undefined {
  const end = bytes.indexOf("\r\n", at);
  if (end < 0) return undefined;
  const text = bytes.toString("utf8", at + 1, end);
  const next = end + 2;
  switch (bytes.toString("latin1", at, at + 1)) {
    case "+":
      return { reply: text, next };
    case "-":
      return { reply: new RedisError(text), next };
    case ":":
      return { reply: Number(text), next };
    case "$":
      return takeBulk(bytes, next, Number(text));
    case "*":
      return takeArray(bytes, next, Number(text));
    default:
      throw new Error(`not an answer of Redis: ${text}`);
  }
}

function takeBulk(bytes: Buffer, at: number, length: number): Taken | undefined {
  if (length < 0) return { reply: null, next: at };
  const next = at + length + 2;
  return bytes.length < next ? undefined : { reply: bytes.toString("utf8", at, at + length), next };
}

function takeArray(bytes: Buffer, at: number, length: number): Taken | undefined {
  const replies: Reply[] = [];
  let next = at;
  for (let index = 0; index < length; index += 1) {
    const taken = takeReply(bytes, next);
    if (taken === undefined) return undefined;
    if (taken.reply instanceof RedisError) throw taken.reply;
    replies.push(taken.reply);
    next = taken.next;
  }
  return { reply: replies, next };
}
