import { parseDuration, parseRate } from "../../units.js";
import { defaults } from "../defaults.js";
import type { Bandwidth, PlanMigration, PlanOptions, PreCopy } from "../plan.js";
import type { WrittenMigration, WrittenOptions } from "../schema/migration.js";

export function resolveMigration(written: WrittenMigration): PlanMigration {
  const strategy = written.strategy ?? defaults.strategy;
  return {
    service: written.service,
    from: written.from,
    to: written.to,
    strategy,
    precopy: strategy === "pre-copy" ? resolvePreCopy(written) : null,
    downtime: written.downtime === undefined ? null : parseDuration(written.downtime),
    bandwidth: resolveBandwidth(written.bandwidth),
    deadline: parseDuration(written.deadline ?? defaults.deadline),
    lease: parseDuration(written.lease ?? defaults.lease),
    transfer: written.transfer ?? defaults.transfer,
    tcp: written.tcp ?? defaults.tcp,
  };
}

function resolvePreCopy(written: WrittenMigration): PreCopy {
  return {
    rounds: written.rounds ?? defaults.rounds,
    onDivergence: written.onDivergence ?? defaults.onDivergence,
    onUnsupported: written.onUnsupported ?? defaults.onUnsupported,
  };
}

/** A rate alone is that of the rounds: the final copy is downtime. */
function resolveBandwidth(written: WrittenMigration["bandwidth"]): Bandwidth {
  const { rounds, final } = typeof written === "string" ? { rounds: written } : (written ?? {});
  const rate = (text: string | undefined): number | null => (text === undefined ? null : parseRate(text));
  return { rounds: rate(rounds), final: rate(final) };
}

export function resolveOptions(written: WrittenOptions): PlanOptions {
  return {
    parallel: written.parallel ?? defaults.parallel,
    perNode: written.perNode ?? defaults.perNode,
    onFailure: written.onFailure ?? defaults.onFailure,
    keepSource: parseDuration(written.keepSource ?? defaults.keepSource),
  };
}
