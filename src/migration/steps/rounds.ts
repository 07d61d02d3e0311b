import type { MigrationContext } from "../context.js";
import { closeLine } from "../line.js";
import { liftThrottle, makeRounds } from "../precopy/run.js";
import type { Step } from "../step.js";

/** The memory is copied while the service runs, again and again, until what is left fits the budget. Nothing changes hands. */
export const rounds: Step<MigrationContext> = {
  name: "rounds",
  title: "Copy the memory ahead, in rounds",
  kind: "reversible",
  run: async (context, signal) => {
    const { unsupported } = context.precopy;
    if (unsupported === null) return makeRounds(context, signal);
    context.tell({ kind: "said", text: `no rounds: ${unsupported}` });
  },
  undo: async (context) => {
    const lifted = await liftThrottle(context);
    await closeLine(context);
    const images = "what the rounds copied goes with the migration";
    return lifted === null ? images : `${lifted}; ${images}`;
  },
};
