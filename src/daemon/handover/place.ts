/** What the destination clears out of the way before images come: memory, and PIDs. */
import type { ExpectRequest } from "../api.js";
import { makeImages, NoRoom } from "../images.js";
import { headroom, memoryFacts } from "../memory.js";
import { Conflict, HttpError } from "../refusals.js";
import { firstPid } from "../service.js";
import type { HandOverDeps } from "./half.js";

/** The directory for the images. Throws a Conflict where they do not fit beside the tree's own memory. */
export async function makePlace(
  deps: HandOverDeps,
  id: string,
  { highestPid, bytes, tree, round }: ExpectRequest,
): Promise<string> {
  await makeWay(deps, highestPid);
  const room = { memory: headroom(await memoryFacts()), reserve: tree };
  const into = round === null ? "final" : String(round);
  try {
    return await makeImages(deps.paths, id, { bytes, into }, room);
  } catch (thrown) {
    if (thrown instanceof NoRoom) throw new Conflict("NO_ROOM", `at the destination is ${thrown.message}`);
    throw thrown;
  }
}

/**
 * A daemon that was started again, after the cursor had moved, may have PIDs of the image: the next one gets higher ones.
 * The frozen tree can have threads that were not there when it was expected.
 */
export async function makeWay(
  { processes, giveUp }: Pick<HandOverDeps, "processes" | "giveUp">,
  highestPid: number,
  ownPid = process.pid,
): Promise<void> {
  if (ownPid < firstPid || ownPid > highestPid) return;
  await processes.init.moveCursor(highestPid);
  giveUp();
  throw new HttpError(
    503,
    "STARTING_ANEW",
    "this daemon has a PID of the image and starts anew with another",
  );
}
