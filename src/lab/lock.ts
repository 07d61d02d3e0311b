import { createServer, type Server } from "node:net";
import { waitFor } from "../wait.js";
import { shortHash } from "./paths.js";

/**
 * Runs `work` while holding a lock of this machine. The lock is an abstract Unix socket: it dies with its
 * holder, however that ends, so a killed predecessor never leaves it behind.
 */
export async function withLock<T>(what: string, timeout: number, work: () => Promise<T>): Promise<T> {
  const server = await waitFor(`the lock on ${what}`, () => tryListen(what), { timeout, interval: 100 });
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function tryListen(what: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ path: `\0fastmig-lab-${shortHash(what, 32)}` }, () => resolve(server));
  });
}
