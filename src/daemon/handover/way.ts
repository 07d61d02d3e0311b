import type { Peer } from "../api.js";
import { connectPeer, type PeerClient } from "../transfer/client.js";

/**
 * The source's connections to its peer, kept from round to round and through the switchover: what was begun before the
 * freeze need not be begun in it.
 */
export class Way {
  readonly #id: string;
  #to = "";
  #client: PeerClient | undefined;

  /** @param id the migration. */
  constructor(id: string) {
    this.#id = id;
  }

  /** The same client for the same peer. A new run of the CLI has another one: a new secret, or a new relay. */
  client(peer: Peer): PeerClient {
    const to = JSON.stringify(peer);
    if (to !== this.#to) this.close();
    this.#to = to;
    return (this.#client ??= connectPeer(peer, { id: this.#id }));
  }

  /** What is under way is lost; the next one who asks begins anew. */
  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
