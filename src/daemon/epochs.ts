/** Who asks for something at an epoch that this node has seen, or has given away, is refused (rule 6). */
import type { OpenMigration, Ownership } from "./api.js";
import { Conflict } from "./refusals.js";

/** Throws EPOCH. At the epoch at which it is this node's it may be asked for again. */
export function refuseRun(known: Ownership, epoch: number): void {
  if (epoch < known.epoch || (epoch === known.epoch && known.role !== "owner"))
    throw tooOld(`${known.epoch} (${known.role})`, `${epoch}`);
}

/** Throws EPOCH. */
export function refuseRestore(known: Ownership, epoch: number): void {
  if (epoch <= known.epoch) throw tooOld(`${known.epoch}`, `a restore of epoch ${epoch}`);
}

/** Throws NOT_OWNER, EPOCH. */
export function refuseOpening(known: Ownership, { role, epoch, service }: OpenMigration): void {
  if (role === "source" && known.role !== "owner")
    throw new Conflict(
      "NOT_OWNER",
      `this node does not own ${service.name}: it is ${known.role} at epoch ${known.epoch}`,
    );
  if (epoch <= known.epoch) throw tooOld(`${known.epoch}`, `a migration of epoch ${epoch}`);
}

function tooOld(seen: string, asked: string): Conflict {
  return new Conflict("EPOCH", `this node has seen epoch ${seen}; ${asked} is too old`);
}
