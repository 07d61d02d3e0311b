/** What keeps a round from beginning, told apart. */
import { messageOf } from "../../errors.js";
import { NoRoom } from "../images.js";
import { Conflict, HttpError } from "../refusals.js";
import { TransferError } from "../transfer/errors.js";

/** Here or at the destination. */
export function lacksRoom(thrown: unknown): boolean {
  if (thrown instanceof TransferError)
    return thrown.fault.kind === "refused" && thrown.fault.code === "NO_ROOM";
  return thrown instanceof NoRoom;
}

/** The announcement's time was up, or the last try was lost. */
export function isCut(thrown: unknown): boolean {
  if (thrown instanceof TransferError) return thrown.fault.kind === "lost";
  return thrown instanceof DOMException && thrown.name === "TimeoutError";
}

/** For whoever asked for the round. */
export function refusal(thrown: unknown): HttpError {
  return thrown instanceof HttpError ? thrown : new Conflict("NOT_READY", messageOf(thrown));
}
