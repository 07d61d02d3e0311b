import type { MigrationContext } from "../context.js";
import { awaitHealth } from "../health.js";
import type { Step } from "../step.js";

/** The destination has executed: what is wrong from here on is reported, never rolled back. */
export const health: Step<MigrationContext> = {
  name: "health",
  title: "Wait until it is healthy",
  kind: "final",
  run: async (context) => {
    await context.journal?.append({ kind: "committed" });
    const { service, destination, id } = context;
    if (service.health === null)
      return context.tell({ kind: "said", text: "the plan names no health check" });
    const next = [
      `nothing was removed on ${context.source.name}; once it is healthy, \`fastmig resume ${id}\` finishes`,
    ];
    await awaitHealth(destination, service.health, next);
  },
};
