/** The source's way to the destination: images, the last list, and what both say about the verdict. */
import type {
  DestinationStateName,
  ExpectRequest,
  FinalRequest,
  ReleaseProof,
  SourceStateName,
  SwitchoverRequest,
  TransferProgress,
} from "../api.js";
import { PeerState } from "../api.js";
import type { PeerClient } from "../transfer/client.js";
import { Pace } from "../transfer/pace.js";
import { rehearse } from "../transfer/rehearsal.js";
import { createShipper, type Shipper } from "../transfer/shipper.js";
import type { FinalFile } from "../transfer/segment.js";
import { Lease } from "./lease.js";
import { packPreserved } from "../preserve.js";
import { retryLost } from "./retry.js";
import type { Rounds } from "./rounds.js";
import type { Way } from "./way.js";

export interface ShippingOptions {
  way: Way;
  /** The migration's directory, where the hook reads the lease. */
  directory: string;
  request: SwitchoverRequest;
  onProgress(progress: TransferProgress): void;
}

/** While the destination's answer decides. */
const asking: readonly SourceStateName[] = ["dumping", "held", "asking"];

const whole: readonly DestinationStateName[] = [
  "restoring",
  "prepared",
  "reviving",
  "inDoubt",
  "resuming",
  "running",
];

/** Milliseconds; a destination lets a held tree go in tens of them. */
const releasedLimit = 2000;

export class Shipping {
  readonly #client: PeerClient;
  readonly #options: ShippingOptions;
  readonly #lease: Lease;
  readonly #pace: Pace;
  /** Aborts when the freeze is over: nothing more is shipped then. */
  readonly #frozen = new AbortController();
  /** Aborts when the migration is over: nobody needs to be told any more. */
  readonly #over = new AbortController();
  #shipper: Shipper | undefined;
  #finished: Promise<FinalFile[]> | undefined;

  constructor(options: ShippingOptions) {
    this.#options = options;
    this.#client = options.way.client(options.request.peer);
    this.#pace = new Pace(options.request.bandwidth);
    this.#lease = new Lease(options.directory, options.request);
  }

  /** Before the freeze: the peer answers, has room, and holds nothing but the chain. */
  async announce(expected: ExpectRequest, rounds: Pick<Rounds, "forgetDropped" | "chain">): Promise<void> {
    const { lease } = this.#options.request;
    await rounds.forgetDropped(this.#client, AbortSignal.timeout(lease));
    // Asked again: a destination whose daemon stands in the way of the image's PIDs starts it anew first.
    await retryLost(
      (signal) => this.#client.post("expect", expected, PeerState, signal),
      AbortSignal.timeout(lease),
      lease,
    );
    // Rounds were rehearsal enough.
    if (this.#options.request.bandwidth === null && rounds.chain.length === 0)
      await rehearse(this.#client, expected.bytes, AbortSignal.timeout(lease));
  }

  startLease(): Promise<void> {
    return this.#lease.renew();
  }

  /** Bytes per second from now on; null: as fast as the line is. */
  tune(bandwidth: number | null): void {
    this.#pace.set(bandwidth);
  }

  /** Ships the images in `root` while CRIU writes them. */
  follow(root: string): void {
    this.#shipper = createShipper({
      root,
      directories: ["final", ""],
      client: this.#client,
      pace: this.#pace,
      signal: this.#frozen.signal,
      onProgress: (progress) => {
        this.#options.onProgress(progress);
        void this.#lease.renew();
      },
    });
    this.#shipper.follow();
  }

  /** CRIU has written everything: packs what travels along. Resolves when the peer has verified it all; asked again, to the same. */
  finishFiles(root: string): Promise<FinalFile[]> {
    this.#finished ??= this.#finishFiles(root);
    // Whoever asks last hears of it.
    this.#finished.catch(() => undefined);
    return this.#finished;
  }

  async #finishFiles(root: string): Promise<FinalFile[]> {
    await packPreserved(root, this.#options.request.preserve);
    if (this.#shipper === undefined) this.follow(root);
    return (this.#shipper as Shipper).finish();
  }

  /** Answers when the destination holds the tree or has given up. Its work there counts as progress. */
  async final(request: FinalRequest): Promise<PeerState> {
    const look = setInterval(() => void this.#renewWhileRestoring(), this.#options.request.lease / 4);
    try {
      return await this.#askFrozen((signal) => this.#client.final(request, signal));
    } finally {
      clearInterval(look);
    }
  }

  async #renewWhileRestoring(): Promise<void> {
    const answer = await this.#standing().catch(() => undefined);
    if (answer?.state === "restoring") await this.#lease.renew();
  }

  /** Whether the destination has the whole of it, and waits for the verdict or obeys it. */
  async hasAll(): Promise<boolean> {
    return whole.includes((await this.#standing()).state);
  }

  /** Asked until it answers or the freeze is over. */
  #standing(): Promise<PeerState> {
    return this.#askFrozen((signal) => this.#client.post("state", {}, PeerState, signal));
  }

  /** A question that takes longer than the lease is asked again: it joins what is under way there. */
  #askFrozen(ask: (signal: AbortSignal) => Promise<PeerState>): Promise<PeerState> {
    return retryLost(ask, this.#frozen.signal, this.#options.request.lease);
  }

  /** Until it is answered; undefined where the migration ended otherwise first. */
  async released(proof: ReleaseProof): Promise<PeerState | undefined> {
    const { signal } = this.#over;
    const ask = (limited: AbortSignal): Promise<PeerState> => this.#client.released(proof, limited);
    return retryLost(ask, signal, releasedLimit).catch(() => undefined);
  }

  /** A courtesy: the destination holds without executing until somebody tells it. */
  async aborted(): Promise<void> {
    await this.#client.aborted(AbortSignal.timeout(2000)).catch(() => undefined);
  }

  entered(state: SourceStateName): void {
    if (!asking.includes(state)) this.#thaw(`the source is ${state}`);
  }

  #thaw(why: string): void {
    this.#frozen.abort(new Error(why));
  }

  async close(): Promise<void> {
    this.#thaw("the migration is over");
    this.#over.abort(new Error("the migration is over"));
    await this.#shipper?.close();
  }
}
