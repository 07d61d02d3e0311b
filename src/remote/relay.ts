import { finished } from "node:stream";
import type { Duplex } from "node:stream";
import { messageOf } from "../errors.js";
import type { Node } from "./node.js";

export interface RelayEnd {
  node: Node;
  socket: string;
}

export interface Relay {
  /** Bytes that went from the source to the destination, and back. */
  readonly bytes: { there: number; back: number };
  /** Resolves to the reason when the way is gone without `close()`. */
  readonly lost: Promise<string>;
  /** Ends it: no new connection, and the open ones are cut. */
  close(): Promise<void>;
}

/**
 * Carries connections from a socket on the source to a socket on the destination, through this program. Throws SOCKET_REFUSED
 * where the source does not listen. A connection that the destination refuses, or whose link is lost, is cut at the other end too.
 */
export async function openRelay(source: RelayEnd, destination: RelayEnd): Promise<Relay> {
  const bytes = { there: 0, back: 0 };
  const open = new Set<Duplex>();
  const stop = await source.node.listen(source.socket, (near) => void carry(near, destination, open, bytes));
  const close = async (): Promise<void> => {
    for (const stream of open) stream.destroy();
    await stop();
  };
  return { bytes, lost: eitherLost(source.node, destination.node), close };
}

function eitherLost(...nodes: Node[]): Promise<string> {
  return Promise.race(nodes.map(async (node) => `node ${node.name}: ${await node.lost}`));
}

async function carry(
  near: Duplex,
  { node, socket }: RelayEnd,
  open: Set<Duplex>,
  bytes: Relay["bytes"],
): Promise<void> {
  track(near, open);
  try {
    const far = track(await node.connect(socket), open);
    join(near, far, (count) => (bytes.there += count));
    join(far, near, (count) => (bytes.back += count));
  } catch (thrown) {
    near.destroy(new Error(messageOf(thrown)));
  }
}

function track(stream: Duplex, open: Set<Duplex>): Duplex {
  open.add(stream);
  stream.on("error", () => undefined);
  return stream.once("close", () => open.delete(stream));
}

/** One direction: an end goes on as an end, a failure as a cut. */
function join(from: Duplex, to: Duplex, count: (bytes: number) => void): void {
  from.on("data", (chunk: Buffer) => count(chunk.length));
  from.pipe(to);
  finished(from, { writable: false }, (error) => error && to.destroy());
  finished(to, { readable: false }, (error) => error && from.destroy());
}
