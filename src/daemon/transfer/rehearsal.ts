import type { PeerClient } from "./client.js";

/** Bytes; after so many V8 has compiled what it compiles. */
const most = 64 * 1024 * 1024;
/** Of what will be sent: a small service is moved sooner than rehearsed. */
const share = 0.2;
/** Milliseconds: where the line is slow, the code is not what one waits for. */
const longest = 150;
/** Bytes sent at a time, so that a slow line does not hold us up for long either. */
const size = 256 * 1024;

/**
 * Before the freeze: sends what the peer forgets at once, so that both ends have their code compiled and their
 * connections open when it counts. Never rejects: what is wrong with the way, the transfer will meet itself.
 *
 * @param expected bytes that will be sent.
 */
export async function rehearse(client: PeerClient, expected: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + longest;
  const nothing = Buffer.alloc(size);
  let left = Math.min(most, expected * share);
  const send = async (): Promise<void> => {
    for (; left >= size && performance.now() < end; left -= size) await client.put([], nothing, signal);
  };
  await Promise.all([send(), send()]).catch(() => undefined);
}
