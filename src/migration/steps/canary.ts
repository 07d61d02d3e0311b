import type { CanaryResult, CpuCheckResult } from "../../daemon/api.js";
import { given, type MigrationContext } from "../context.js";
import type { DaemonClient } from "../../remote/daemon-client.js";
import type { Problem } from "../facts.js";
import { learnCosts, trialMemory, type Costs } from "../precopy/costs.js";
import { preflightError } from "../preflight/problems.js";
import type { Step } from "../step.js";

/** A small process of the service's user is dumped and restored in both real containers; the source's CPU features are compared. */
export const canary: Step<MigrationContext> = {
  name: "canary",
  title: "Try a dump and a restore at both ends",
  kind: "reversible",
  run: async (context) => {
    const spec = given(given(context.look, "the first look").source, "the source's status").ownership.service;
    const { user, instructions } = given(spec, "the service's description");
    const [source, destination] = await Promise.all([context.source.daemon(), context.destination.daemon()]);
    // What was started with a baseline does not use all that the source has: preflight has compared what it does use.
    const compared =
      instructions === undefined ? source.cpuDump().then((image) => destination.cpuCheck(image)) : alike;
    // Nothing beside the trials whose times are to be learnt from.
    if (isPreCopy(context)) await compared;
    const small = { user, memory: 0, scattered: false };
    const [theirs, ours, cpu] = await Promise.all([
      source.canary(small),
      destination.canary(small),
      compared,
    ]);
    const problems = [
      ...canaryProblems(context.source.name, theirs),
      ...canaryProblems(context.destination.name, ours),
      ...cpuProblems(context, cpu),
    ];
    if (problems.length > 0) throw preflightError(context.service.name, problems);
    if (isPreCopy(context))
      context.precopy.costs = await biggerTrials(context, { source, destination, user }, { theirs, ours });
    context.tell({
      kind: "said",
      text: `dump and restore: ${context.source.name} ${total(theirs)} ms, ${context.destination.name} ${total(ours)} ms`,
    });
  },
};

const alike: CpuCheckResult = { ok: true, log: [] };

function isPreCopy({ migration, precopy }: MigrationContext): boolean {
  return migration.precopy !== null && precopy.unsupported === null;
}

/** What memory costs on top; after the small ones, which it would disturb, and as little at a time as can be. */
async function biggerTrials(
  { service, source: from, destination: to }: MigrationContext,
  { source, destination, user }: { source: DaemonClient; destination: DaemonClient; user: string },
  { theirs, ours }: Record<"theirs" | "ours", CanaryResult>,
): Promise<Costs> {
  const request = { user, memory: trialMemory, scattered: false };
  const [dumped, restored] = await Promise.all([
    twice(() => source.canary(request)),
    twice(() => destination.canary(request)),
  ]);
  const scattered = await twice(() => destination.canary({ ...request, scattered: true }));
  const problems = [
    ...canaryProblems(from.name, dumped),
    ...[restored, scattered].flatMap((trial) => canaryProblems(to.name, trial)),
  ];
  if (problems.length > 0) throw preflightError(service.name, problems);
  return learnCosts({ small: theirs, big: dumped }, { small: ours, big: restored, scattered });
}

/** The quicker one counts: what else the node did was not what is to be told. */
async function twice(trial: () => Promise<CanaryResult>): Promise<CanaryResult> {
  const first = await trial();
  if (!first.ok) return first;
  const second = await trial();
  return second.ok && total(first) < total(second) ? first : second;
}

function total({ dumpMs, releaseMs, restoreMs, resumeMs }: CanaryResult): number {
  return Math.round(dumpMs + releaseMs + restoreMs + resumeMs);
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
