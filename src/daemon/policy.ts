/** In what the programs that a container can be for differ: our own service, FastFreeze's command line. */
import type { Ended } from "./api.js";

export interface Policy {
  /** The service ended by itself: with which exit status its container ends too; null: it stays. */
  afterEnd(ended: Ended): Promise<number | null>;
  /** The same where it ended with its checkpoint. */
  afterFreeze(): Promise<number | null>;
  /** Whether the service's first process adopts its orphans; else they become init's, and it cannot be dumped. */
  rootAdopts: boolean;
  /** Whether an image may lie in the container's own layer. */
  ownLayer: boolean;
}

/** As a shell has it: 128 and the signal's number. */
export function statusOf({ code, signal }: Ended): number {
  return code ?? 128 + Number(signal ?? 0);
}

/** A service of a plan: where its image is made, its container goes with it. */
export const servicePolicy: Policy = {
  afterEnd: async (ended) => statusOf(ended),
  afterFreeze: async () => null,
  rootAdopts: false,
  ownLayer: false,
};
