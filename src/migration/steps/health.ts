import { messageOf } from "../../errors.js";
import type { MigrationContext } from "../context.js";
import { awaitHealth, isUnhealthy } from "../health.js";
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
      `to take it as it is: \`fastmig resume ${id} --accept-unhealthy\``,
    ];
    await awaitHealth(destination, service.health, next).catch((thrown: unknown) => accept(context, thrown));
  },
};

function accept({ options, accepted, tell }: MigrationContext, thrown: unknown): void {
  if (!options.acceptUnhealthy || !isUnhealthy(thrown)) throw thrown;
  accepted.push(`${messageOf(thrown)}; accepted`);
  tell({ kind: "said", text: `${messageOf(thrown)}; accepted` });
}
