/** The source's way to the destination: images, the last list, and what both say about the verdict. */
import type {
  ExpectRequest,
  FinalRequest,
  ReleaseProof,
  SwitchoverRequest,
  TransferProgress,
} from "../api.js";
import { PeerState } from "../api.js";
import { connectPeer, type PeerClient } from "../transfer/client.js";
import { createShipper, type Shipper } from "../transfer/shipper.js";
import type { FinalFile } from "../transfer/segment.js";
import { Lease } from "./lease.js";
import { retryLost } from "./retry.js";

export interface ShippingOptions {
  id: string;
  /** The migration's directory, where the hook reads the lease. */
  directory: string;
  request: SwitchoverRequest;
  onProgress(progress: TransferProgress): void;
}

export class Shipping {
  readonly #client: PeerClient;
  readonly #options: ShippingOptions;
  readonly #lease: Lease;
  /** Aborts when the freeze is over: nothing more is shipped then. */
  readonly #frozen = new AbortController();
  /** Aborts when the migration is over: nobody needs to be told any more. */
  readonly #over = new AbortController();
  #shipper: Shipper | undefined;

  constructor(options: ShippingOptions) {
    this.#options = options;
    this.#client = connectPeer(options.request.peer, { id: options.id });
    this.#lease = new Lease(options.directory, options.request);
  }

  /** Before the freeze: the peer answers and has room. */
  async announce(expected: ExpectRequest): Promise<void> {
    await this.#client.post("expect", expected, PeerState, AbortSignal.timeout(this.#options.request.lease));
  }

  startLease(): Promise<void> {
    return this.#lease.renew();
  }

  /** Ships the images in `root` while CRIU writes them. */
  follow(root: string): void {
    this.#shipper = createShipper({
      root,
      client: this.#client,
      signal: this.#frozen.signal,
      onProgress: (progress) => {
        this.#options.onProgress(progress);
        void this.#lease.renew();
      },
    });
    this.#shipper.follow("final");
  }

  /** CRIU and tar have written everything. Resolves when the peer has verified it all. */
  async finishFiles(root: string): Promise<FinalFile[]> {
    if (this.#shipper === undefined) this.follow(root);
    return (this.#shipper as Shipper).finish();
  }

  /** Answers when the destination holds the tree or has given up. Its work there counts as progress. */
  async final(request: FinalRequest): Promise<PeerState> {
    const look = setInterval(() => void this.#renewWhileRestoring(), this.#options.request.lease / 4);
    try {
      return await retryLost(() => this.#client.final(request, this.#frozen.signal), this.#frozen.signal);
    } finally {
      clearInterval(look);
    }
  }

  async #renewWhileRestoring(): Promise<void> {
    const answer = await this.#client
      .post("state", {}, PeerState, this.#frozen.signal)
      .catch(() => undefined);
    if (answer?.state === "restoring") await this.#lease.renew();
  }

  /** Until it is answered; undefined where the migration ended otherwise first. */
  async released(proof: ReleaseProof): Promise<PeerState | undefined> {
    const { signal } = this.#over;
    return retryLost(() => this.#client.released(proof, signal), signal).catch(() => undefined);
  }

  /** A courtesy: the destination holds without executing until somebody tells it. */
  async aborted(): Promise<void> {
    await this.#client.aborted(AbortSignal.timeout(2000)).catch(() => undefined);
  }

  thaw(why: string): void {
    this.#frozen.abort(new Error(why));
  }

  async close(): Promise<void> {
    this.thaw("the migration is over");
    this.#over.abort(new Error("the migration is over"));
    await this.#shipper?.close();
    this.#client.close();
  }
}
