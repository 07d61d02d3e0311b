import type { DestinationStateName, MigrationView } from "../daemon/api.js";

/** What a node's daemon says of a migration. `unknown`: it answers and does not know it (any more). `silent`: nobody answers. */
export type Seen = MigrationView | "unknown" | "silent";

export type Judgement =
  /** Nothing irrevocable has happened; the daemons are at it, or wait to be told. */
  | "open"
  /** The source's tree is dead or dying by its own verdict, the destination does not run yet: only forward. */
  | "released"
  /** The destination runs. */
  | "committed"
  /** The source has the service; the destination executes nothing of this migration, and never will. */
  | "rolledBack"
  /** Nobody can say without the operator. */
  | "inDoubt";

/** What both ends together mean. Pure; `silent` never counts as an answer. */
export function judge(source: Seen, destination: Seen): Judgement {
  if (hasRun(destination)) return "committed";
  if (typeof source === "string") return isResuming(destination) ? "released" : "inDoubt";
  switch (source.state) {
    case "aborted":
    case "reclaimed":
      return "rolledBack";
    case "confirmed":
      return source.verdict === "released" ? "committed" : "rolledBack";
    case "released":
      return isGiven(destination) ? "inDoubt" : "released";
    case "restoringBack":
      return "inDoubt";
    default:
      return "open";
  }
}

function stateOf(seen: Seen): string {
  return typeof seen === "string" ? seen : seen.state;
}

function isResuming(destination: Seen): boolean {
  return stateOf(destination) === "resuming";
}

/** States from which a destination does not run after all; together with a source that let go, nobody has the service. */
function isGiven(destination: Seen): boolean {
  return ["inDoubt", "discarding", "discarded"].includes(stateOf(destination));
}

/** Closed at the destination after it ran: the verdict says which of the two closings it was. */
function hasRun(destination: Seen): boolean {
  if (typeof destination === "string") return false;
  return (
    destination.state === "running" ||
    (destination.state === "confirmed" && destination.verdict === "running")
  );
}

/** Whether the source has let go and can prove it, while the destination still waits to hear it. */
export function proofToCarry(source: Seen, destination: Seen): MigrationView["proof"] {
  if (typeof source === "string" || typeof destination === "string" || source.state !== "released")
    return null;
  return destination.state === "prepared" || destination.state === "inDoubt" ? source.proof : null;
}

/** The destination has every byte, and waits for the verdict or works towards holding it. */
const hasAll: readonly (DestinationStateName | MigrationView["state"])[] = [
  "restoring",
  "prepared",
  "reviving",
  "inDoubt",
];

/** The source is frozen, or was and lost its memory with its container; it only lacks the destination's answer. */
export function lacksAnswer(source: Seen, destination: Seen): boolean {
  const asks = stateOf(source) === "held" || stateOf(source) === "asking";
  return asks && typeof destination !== "string" && hasAll.includes(destination.state);
}

/** The source's container was restarted while it held, and the destination may have what it lost: an abort changes nothing then. */
export function isOnlyCopy(source: Seen, destination: Seen): boolean {
  return stateOf(source) === "asking" && (destination === "silent" || lacksAnswer(source, destination));
}
