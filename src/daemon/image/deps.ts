import type { RunDeps } from "../handover/half.js";
import type { OwnershipStore } from "../ownership.js";
import type { Policy } from "../policy.js";

export interface ImageDeps extends RunDeps {
  ownership: OwnershipStore;
  version: string;
  policy: Policy;
  /** Ends this daemon: the next one goes on from what was written down. */
  giveUp(): void;
}
