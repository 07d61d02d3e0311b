import type { TuneRequest, Tuning } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { MigrationContext } from "./context.js";

/** What is named is changed; null: back to what the plan says. Bytes per second, milliseconds. */
export type Change = TuneRequest;

export interface Tuned {
  id: string;
  tuning: Tuning;
}

/** Changes a migration's rates and budget, while its program goes on. Throws CLOSED (exit 2) where it is over. */
export async function tune(context: MigrationContext, request: Change): Promise<Tuned> {
  const { id, journal, source } = context;
  if (journal !== null && journal.settledAt !== null)
    throw new FastmigError(`migration ${id} is over: there is nothing to tune`, {
      code: "CLOSED",
      exit: exitCodes.usage,
    });
  const { tuning } = await (await source.daemon()).tune(id, request);
  return { id, tuning };
}
