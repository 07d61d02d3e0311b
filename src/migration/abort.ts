import { exitCodes, FastmigError } from "../errors.js";
import type { MigrationContext } from "./context.js";
import { isAlive } from "./reopen.js";
import { closingOf, undoWhatWasMade, whatIsLeft } from "./undo-made.js";
import { askToAbort, neverOpened, onlyCopy, seeBoth, watchToTheEnd } from "./watch.js";

export interface Aborted {
  id: string;
  found: string[];
}

const patienceMs = 30_000;

/** Before the commit: the source takes the service back. Where the program that began it lives, that one clears up. */
export async function abort(context: MigrationContext): Promise<Aborted> {
  const { journal, id, migration } = context;
  if (journal?.outcome === "done") throw tooLate(context);
  if (journal?.outcome === "rolled back") return { id, found: ["it was rolled back before"] };
  const alive = await isAlive(journal?.pid ?? process.pid);
  if (!neverOpened(context, await seeBoth(context))) {
    if (!(await askToAbort(context))) throw onlyCopy(context);
    const { judgement } = await watchToTheEnd(context, { within: migration.lease + patienceMs });
    if (judgement === "committed") throw tooLate(context);
  }
  if (alive)
    return {
      id,
      found: [
        `${context.source.name} has ${context.service.name}; the program that began the migration clears up`,
      ],
    };
  const cleared = await undoWhatWasMade(context);
  await journal?.append({ kind: "closed", outcome: closingOf(cleared) });
  return { id, found: [...cleared.found, ...whatIsLeft(id, cleared)] };
}

function tooLate({ id, service, destination, source }: MigrationContext): FastmigError {
  return new FastmigError(`it is too late to abort ${id}: ${service.name} runs on ${destination.name}`, {
    code: "TOO_LATE",
    exit: exitCodes.usage,
    hint: `\`fastmig resume ${id}\` finishes it; going back to ${source.name} is a new migration`,
  });
}
