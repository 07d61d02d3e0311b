/**
 * The hand-over of a service from one daemon to another: every state, what may happen in it, and what follows.
 * The daemons execute this table and nothing else decides; whoever reads it has read the protocol.
 *
 * The rules it stands on (one owner, never two):
 * - The source's verdict file decides: `released` or `aborted`, created once. CRIU's hook at the source obeys it,
 *   and creates `aborted` itself when the lease is over, so the daemon may be dead at any time.
 * - The destination executes nothing before it holds proof that the dumped tree is dead; its verdict `running`
 *   is on disk before CRIU's hook lets the tree go.
 * - Once the destination has answered `prepared` it discards only because the source aborted.
 *
 * A state is journalled before its actions start; actions are idempotent, and each ends in one of the events.
 * `restarted`: the daemon died and came back. `reborn`: the container did, so every process of before is dead.
 */
import type { DestinationStateName, SourceStateName } from "../api.js";

export type SourceEvent =
  | "switchover"
  | "abort"
  | "held"
  | "criuEnded"
  | "shipFailed"
  | "peerPrepared"
  | "peerFailed"
  | "verdictReleased"
  | "verdictAborted"
  | "treeDead"
  | "treePartlyDead"
  | "treeAlive"
  | "keepSource"
  | "restoredBack"
  | "restoreFailed"
  | "imagesGone"
  | "confirm"
  | "restarted"
  | "reborn";

export type SourceAction =
  | "dump"
  | "watchDump"
  | "ship"
  | "shipFinal"
  | "askPeer"
  | "createReleased"
  | "createAborted"
  | "awaitDeath"
  | "examineTree"
  | "killRest"
  | "bury"
  | "tellReleased"
  | "tellAborted"
  | "restoreBack"
  | "close";

export type DestinationEvent =
  | "segment"
  | "final"
  | "held"
  | "restoreFailed"
  | "criuEnded"
  | "abort"
  | "sourceAborted"
  | "released"
  | "verdictRunning"
  | "verdictAborted"
  | "resumed"
  | "resumeFailed"
  | "resumeUnsure"
  | "discarded"
  | "keepSource"
  | "imagesGone"
  | "confirm"
  | "restarted"
  | "reborn";

export type DestinationAction =
  | "restore"
  | "watchRestore"
  | "createRunning"
  | "createAborted"
  | "awaitResume"
  | "examineVerdict"
  | "takeOver"
  | "discard"
  | "close";

export interface Row<S, E, A> {
  in: readonly S[];
  on: E;
  to: S;
  do: readonly A[];
}

export type SourceRow = Row<SourceStateName, SourceEvent, SourceAction>;
export type DestinationRow = Row<DestinationStateName, DestinationEvent, DestinationAction>;

export const sourceTable: readonly SourceRow[] = [
  { in: ["opened"], on: "switchover", to: "dumping", do: ["dump", "ship"] },
  { in: ["opened"], on: "abort", to: "aborting", do: ["createAborted"] },
  { in: ["opened"], on: "reborn", to: "aborting", do: ["createAborted"] },

  // The tree is being frozen and dumped; CRIU's hook is not reached yet.
  { in: ["dumping"], on: "held", to: "held", do: ["shipFinal"] },
  { in: ["dumping"], on: "criuEnded", to: "aborting", do: ["createAborted"] },
  { in: ["dumping"], on: "shipFailed", to: "aborting", do: ["createAborted"] },
  { in: ["dumping"], on: "abort", to: "aborting", do: ["createAborted"] },
  { in: ["dumping"], on: "restarted", to: "dumping", do: ["watchDump", "ship"] },
  { in: ["dumping"], on: "reborn", to: "aborting", do: ["createAborted"] },

  // Frozen and fully dumped; the hook waits for the verdict or the end of the lease.
  { in: ["held"], on: "peerPrepared", to: "releasing", do: ["createReleased"] },
  { in: ["held"], on: "peerFailed", to: "aborting", do: ["createAborted"] },
  { in: ["held"], on: "shipFailed", to: "aborting", do: ["createAborted"] },
  { in: ["held"], on: "abort", to: "aborting", do: ["createAborted"] },
  { in: ["held"], on: "criuEnded", to: "aborting", do: ["createAborted"] },
  { in: ["held"], on: "restarted", to: "held", do: ["watchDump", "shipFinal"] },

  // Its memory died with the container: what the destination holds may be the only copy, whatever was wanted before.
  { in: ["held", "aborting"], on: "reborn", to: "asking", do: ["askPeer"] },
  { in: ["asking"], on: "peerPrepared", to: "releasing", do: ["createReleased"] },
  { in: ["asking"], on: "peerFailed", to: "aborting", do: ["createAborted"] },
  // The operator's word that the destination never ran it and never will.
  { in: ["asking"], on: "keepSource", to: "aborting", do: ["createAborted"] },
  { in: ["asking"], on: "restarted", to: "asking", do: ["askPeer"] },
  { in: ["asking"], on: "reborn", to: "asking", do: ["askPeer"] },

  // The verdict decides, whoever created it.
  { in: ["releasing", "aborting"], on: "verdictReleased", to: "releasing", do: ["awaitDeath"] },
  { in: ["releasing", "aborting"], on: "verdictAborted", to: "aborting", do: ["examineTree"] },
  { in: ["releasing"], on: "treeDead", to: "released", do: ["tellReleased", "bury"] },
  { in: ["releasing"], on: "treePartlyDead", to: "releasing", do: ["killRest"] },
  // CRIU was killed in its hook after `released`: the whole tree goes on by itself, so it stays here.
  { in: ["releasing"], on: "treeAlive", to: "reclaimed", do: ["tellAborted", "close"] },
  { in: ["releasing"], on: "restarted", to: "releasing", do: ["createReleased"] },
  { in: ["releasing"], on: "reborn", to: "releasing", do: ["createReleased"] },

  { in: ["aborting"], on: "treeAlive", to: "aborted", do: ["tellAborted", "close"] },
  // The service did not survive, but it was never released: it is this side's to start again.
  { in: ["aborting"], on: "treeDead", to: "aborted", do: ["tellAborted", "close"] },
  { in: ["aborting"], on: "treePartlyDead", to: "aborted", do: ["tellAborted", "close"] },
  { in: ["aborting"], on: "restarted", to: "aborting", do: ["createAborted"] },

  // Proof exists. The destination is told until it answers; images are kept until the migration is confirmed.
  { in: ["released"], on: "confirm", to: "confirmed", do: ["close"] },
  { in: ["released"], on: "restarted", to: "released", do: ["tellReleased", "bury"] },
  { in: ["released"], on: "reborn", to: "released", do: ["tellReleased", "bury"] },
  // The operator's word that the destination never ran it and never will.
  { in: ["released"], on: "keepSource", to: "restoringBack", do: ["restoreBack"] },
  { in: ["restoringBack"], on: "restoredBack", to: "reclaimed", do: ["close"] },
  { in: ["restoringBack"], on: "restoreFailed", to: "released", do: [] },
  // Nothing of it is left anywhere: it is this side's to start from scratch.
  { in: ["restoringBack"], on: "imagesGone", to: "reclaimed", do: ["close"] },
  { in: ["restoringBack"], on: "restarted", to: "restoringBack", do: ["restoreBack"] },
  { in: ["restoringBack"], on: "reborn", to: "released", do: ["bury"] },
  ...closedAgain<SourceStateName>(["aborted", "reclaimed", "confirmed"]),
];

export const destinationTable: readonly DestinationRow[] = [
  { in: ["opened", "receiving"], on: "segment", to: "receiving", do: [] },
  { in: ["opened", "receiving"], on: "final", to: "restoring", do: ["restore"] },
  // Nothing was promised to the source yet: discarding is this side's own decision.
  { in: ["opened", "receiving", "restoring"], on: "abort", to: "discarding", do: ["createAborted"] },
  { in: ["opened", "receiving", "restoring"], on: "sourceAborted", to: "discarding", do: ["createAborted"] },
  { in: ["opened", "receiving", "restoring"], on: "reborn", to: "discarding", do: ["createAborted"] },

  { in: ["restoring"], on: "held", to: "prepared", do: [] },
  { in: ["restoring"], on: "restoreFailed", to: "discarding", do: ["createAborted"] },
  { in: ["restoring"], on: "restarted", to: "restoring", do: ["watchRestore"] },

  // The tree is in memory and executes nothing; from here on only the source can take it back.
  { in: ["prepared"], on: "released", to: "resuming", do: ["createRunning"] },
  { in: ["prepared", "reviving", "inDoubt"], on: "sourceAborted", to: "discarding", do: ["createAborted"] },
  { in: ["prepared"], on: "criuEnded", to: "reviving", do: ["restore"] },
  { in: ["prepared"], on: "restarted", to: "prepared", do: ["watchRestore"] },
  { in: ["reviving"], on: "held", to: "prepared", do: [] },
  { in: ["reviving"], on: "restoreFailed", to: "inDoubt", do: [] },
  { in: ["reviving"], on: "restarted", to: "reviving", do: ["watchRestore"] },
  { in: ["prepared", "reviving"], on: "reborn", to: "inDoubt", do: [] },

  { in: ["resuming"], on: "verdictRunning", to: "resuming", do: ["awaitResume"] },
  { in: ["resuming"], on: "verdictAborted", to: "discarding", do: ["createAborted"] },
  { in: ["resuming"], on: "resumed", to: "running", do: ["takeOver"] },
  // It is proven that no task was resumed: the images are whole, and the verdict `running` stands.
  // Tried once; what fails a second time is `resumeUnsure`.
  { in: ["resuming"], on: "resumeFailed", to: "resuming", do: ["restore"] },
  { in: ["resuming"], on: "held", to: "resuming", do: ["awaitResume"] },
  { in: ["resuming"], on: "restoreFailed", to: "inDoubt", do: [] },
  { in: ["resuming"], on: "resumeUnsure", to: "inDoubt", do: [] },
  { in: ["resuming"], on: "restarted", to: "resuming", do: ["createRunning"] },
  // Its container died: with the verdict it is this side's, ended; without, nothing of it ever executed.
  { in: ["resuming"], on: "reborn", to: "resuming", do: ["examineVerdict"] },

  { in: ["running"], on: "confirm", to: "confirmed", do: ["close"] },
  { in: ["running"], on: "restarted", to: "running", do: ["takeOver"] },
  { in: ["running"], on: "reborn", to: "running", do: ["takeOver"] },

  { in: ["discarding"], on: "verdictAborted", to: "discarding", do: ["discard"] },
  // From `inDoubt`, by a word that it must not run (again).
  { in: ["discarding"], on: "verdictRunning", to: "discarding", do: ["discard"] },
  { in: ["discarding"], on: "discarded", to: "discarded", do: ["close"] },
  { in: ["discarding"], on: "restarted", to: "discarding", do: ["createAborted"] },
  { in: ["discarding"], on: "reborn", to: "discarding", do: ["createAborted"] },

  // In doubt: with proof it may be tried again; by the operator's word it is given up.
  { in: ["inDoubt"], on: "released", to: "resuming", do: ["createRunning"] },
  { in: ["inDoubt"], on: "keepSource", to: "discarding", do: ["createAborted"] },
  // It should be kept here, and nothing of it is left.
  { in: ["inDoubt"], on: "imagesGone", to: "discarding", do: ["createAborted"] },
  ...closedAgain<DestinationStateName>(["discarded", "confirmed"]),
];

/** In a state that is over, closing may have been cut short by a crash: it is done again. */
function closedAgain<S>(
  states: readonly S[],
): { in: [S]; on: "restarted" | "reborn"; to: S; do: ["close"] }[] {
  return states.flatMap((state) =>
    (["restarted", "reborn"] as const).map((on) => ({
      in: [state] as [S],
      on,
      to: state,
      do: ["close"] as ["close"],
    })),
  );
}

/** The row that applies, or undefined: the event means nothing in that state and changes nothing. */
export function transition<S, E, A>(
  table: readonly Row<S, E, A>[],
  state: S,
  event: E,
): Row<S, E, A> | undefined {
  return table.find((row) => row.on === event && row.in.includes(state));
}
