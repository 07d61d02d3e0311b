import type { MigrationContext } from "../context.js";
import { check } from "../preflight/checks.js";
import { preflightError } from "../preflight/problems.js";
import { gatherFacts } from "../preflight/gather.js";
import { whyUnsupported } from "../preflight/pre-copy.js";
import type { Step } from "../step.js";

/** Everything that can be known without a standby, every problem at once. */
export const preflight: Step<MigrationContext> = {
  name: "preflight",
  title: "Check both nodes",
  kind: "reversible",
  run: async (context) => {
    const facts = await gatherFacts(context);
    context.facts = facts;
    const problems = check(facts, { allowClockJump: context.options.allowClockJump, id: context.id });
    if (problems.length > 0) throw preflightError(context.service.name, problems);
    const unsupported = whyUnsupported(facts);
    if (unsupported === null) return;
    context.precopy.unsupported = unsupported;
    context.accepted.push(`${unsupported}; moved by stop-and-copy`);
    context.tell({ kind: "said", text: `${unsupported}: stop-and-copy` });
  },
};

/** Where the service cannot even be opened, preflight says why, with everything else that is wrong. */
export async function refuseByPreflight(context: MigrationContext): Promise<never> {
  await preflight.run(context, undefined);
  throw preflightError(context.service.name, [
    {
      check: "service",
      node: context.source.name,
      message: `${context.service.name} did not run on ${context.source.name} a moment ago, and does now`,
      hint: "try again",
    },
  ]);
}
