import { messageOf } from "../../errors.js";
import { PeerState, type Peer } from "../api.js";
import { connectPeer, type PeerClient } from "../transfer/client.js";

/** Milliseconds until the peer has answered: an emulated machine takes one for TLS alone. */
const reachLimit = 5000;

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

  /** Begins a connection. Answers why the peer is not reached, or does not know this migration; null: neither. */
  async reach(peer: Peer): Promise<string | null> {
    const signal = AbortSignal.timeout(reachLimit);
    try {
      await this.client(peer).post("state", {}, PeerState, signal);
      return null;
    } catch (thrown) {
      this.close();
      return signal.aborted ? `no answer within ${reachLimit / 1000} s` : messageOf(thrown);
    }
  }

  /** What is under way is lost; the next one who asks begins anew. */
  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
