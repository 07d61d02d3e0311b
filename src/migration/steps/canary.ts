import type { CanaryResult, CpuCheckResult } from "../../daemon/api.js";
import { given, type MigrationContext } from "../context.js";
import type { DaemonClient } from "../../remote/daemon-client.js";
import type { Problem } from "../facts.js";
import { learnCosts, trialMemory } from "../precopy/costs.js";
import { preflightError } from "../preflight/problems.js";
import type { Step } from "../step.js";

/** A small process of the service's user is dumped and restored in both real containers; the source's CPU features are compared. */
export const canary: Step<MigrationContext> = {
  name: "canary",
  title: "Try a dump and a restore at both ends",
  kind: "reversible",
  run: async (context) => {
    const spec = given(given(context.look, "the first look").source, "the source's status").ownership.service;
    const user = given(spec, "the service's description").user;
    const [source, destination] = await Promise.all([context.source.daemon(), context.destination.daemon()]);
    const [theirs, ours, cpu] = await Promise.all([
      source.canary({ user, memory: 0 }),
      destination.canary({ user, memory: 0 }),
      source.cpuDump().then((image) => destination.cpuCheck(image)),
    ]);
    const bigger = isPreCopy(context) ? await biggerTrials(source, destination, user) : null;
    const problems = [
      ...canaryProblems(context.source.name, bigger?.source.ok === false ? bigger.source : theirs),
      ...canaryProblems(
        context.destination.name,
        bigger?.destination.ok === false ? bigger.destination : ours,
      ),
      ...cpuProblems(context, cpu),
    ];
    if (problems.length > 0) throw preflightError(context.service.name, problems);
    if (bigger !== null)
      context.precopy.costs = learnCosts(
        { small: theirs, big: bigger.source },
        { small: ours, big: bigger.destination },
      );
    context.tell({
      kind: "said",
      text: `dump and restore: ${context.source.name} ${total(theirs)} ms, ${context.destination.name} ${total(ours)} ms`,
    });
  },
};

function isPreCopy({ migration, precopy }: MigrationContext): boolean {
  return migration.precopy !== null && precopy.unsupported === null;
}

/** What memory costs on top; after the small ones, which it would disturb. */
async function biggerTrials(
  source: DaemonClient,
  destination: DaemonClient,
  user: string,
): Promise<Record<"source" | "destination", CanaryResult>> {
  const request = { user, memory: trialMemory };
  const [theirs, ours] = await Promise.all([source.canary(request), destination.canary(request)]);
  return { source: theirs, destination: ours };
}

function total({ dumpMs, restoreMs }: CanaryResult): number {
  return Math.round(dumpMs + restoreMs);
}

function canaryProblems(node: string, { ok, failure }: CanaryResult): Problem[] {
  if (ok) return [];
  const log = failure?.log.map((line) => `\n    ${line}`).join("") ?? "";
  return [
    {
      check: "canary",
      node,
      message: `a trial process could not be dumped and restored on ${node}: ${failure?.message ?? "no reason given"}${log}`,
      hint: failure?.hint ?? "the lines above are CRIU's",
    },
  ];
}

function cpuProblems({ source, destination }: MigrationContext, { ok, log }: CpuCheckResult): Problem[] {
  if (ok) return [];
  return [
    {
      check: "cpu",
      node: destination.name,
      message: `${destination.name}'s processor lacks features that ${source.name}'s has, and that the service may use:${log.map((line) => `\n    ${line}`).join("")}`,
      hint: "migrate to a node with the same or a newer processor",
    },
  ];
}
