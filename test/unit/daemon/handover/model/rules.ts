/** What the model believes of the code beside the tables: each can be broken on purpose. */
import {
  destinationTable,
  sourceTable,
  type DestinationRow,
  type SourceRow,
} from "../../../../../src/daemon/handover/table.js";

export interface Rules {
  source: readonly SourceRow[];
  destination: readonly DestinationRow[];
  /** A verdict is created once; whoever comes second obeys it. */
  verdictStands: boolean;
  /** The hook that lost its CRIU, or whose lease is over, decides `aborted` before it lets the tree go. */
  hookDecides: boolean;
  /** `running` is on the disk before the hook lets the copy go. */
  runningFirst: boolean;
  /** The release is told only with the proof that the tree is dead. */
  proofIsDeath: boolean;
  /** Images at the source are kept until the end. */
  imagesKept: boolean;
  /** A node's stopped container proves something only together with the verdict `released`. */
  stoppedNeedsVerdict: boolean;
  /** … and with a journal that does not say that the source took the service back after it. */
  stoppedNeedsJournal: boolean;
  /** A destination that still restores may give up: it is asked until it has promised. */
  askedUntilSettled: boolean;
  /** What is looked at after a restart counts only while the state is the one for which it was looked at. */
  lateDeedsDropped: boolean;
}

export const asBuilt: Rules = {
  source: sourceTable,
  destination: destinationTable,
  verdictStands: true,
  hookDecides: true,
  runningFirst: true,
  proofIsDeath: true,
  imagesKept: true,
  stoppedNeedsVerdict: true,
  stoppedNeedsJournal: true,
  askedUntilSettled: true,
  lateDeedsDropped: true,
};
