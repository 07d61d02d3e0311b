import type { MigrationView, Round } from "../daemon/api.js";
import type { PreCopyRun } from "./context.js";
import type { Costs } from "./precopy/costs.js";
import type { Prediction } from "./precopy/model.js";
import type { RoundLine } from "./precopy/round-line.js";

/** Stable keys for scripts: additive changes only. Durations are milliseconds, sizes bytes, times ISO 8601. */
export interface MigrationReport {
  schemaVersion: 1;
  id: string;
  epoch: number;
  service: string;
  from: string;
  to: string;
  strategy: string;
  startedAt: string;
  endedAt: string;
  durationMs: number;
  steps: StepTime[];
  transfer: TransferReport;
  /** Every round that the migration made, as the source's daemon tells it; empty with stop-and-copy. */
  rounds: Round[];
  /** Null where no rounds were made. */
  precopy: PreCopyReport | null;
  blackout: Blackout | null;
  downtime: DowntimeReport | null;
  /** Each daemon's own marks, since the beginning of its part. */
  timeline: Record<"source" | "destination", Record<string, number>>;
  /** What each daemon verified. */
  verified: Record<"source" | "destination", string[]>;
  /** CRIU's own statistics, microseconds and pages. */
  criu: Record<"dump" | "restore", Record<string, number> | null>;
  versions: Versions;
  /** The source's stopped container, kept until then. */
  kept: { node: string; container: string; until: string } | null;
  warnings: string[];
}

export interface PreCopyReport {
  /** Why the rounds ended. */
  why: string;
  text: string;
  /** Milliseconds from the freeze until it runs, as predicted when it was decided to freeze, and what came of it. */
  predictedMs: number | null;
  blackoutMs: number | null;
  /** What the prediction is made of, and what the trial processes told. */
  parts: Prediction["parts"] | null;
  costs: Costs | null;
  /** The rounds of this run, with what was predicted after each. */
  series: RoundLine[];
  /** What the service was left with at last, microseconds of processor time within 100 ms; null: it was not throttled. */
  quota: number | null;
}

export interface StepTime {
  name: string;
  ms: number;
}

export interface TransferReport {
  mode: "direct" | "relay";
  /** Why it is not `direct`, where `auto` had the choice. */
  reason: string | null;
  bytes: number;
  files: number;
  /** From the freeze until the destination held and had verified everything. */
  ms: number | null;
  bytesPerSecond: number | null;
}

export interface Blackout {
  /** When the service was frozen, by the source's clock. */
  frozenAt: string;
  ms: number;
  /** Whose clock: the source's alone (it includes the answer's way back), or both nodes' wall clocks, whose difference is in it. */
  clock: "source" | "both";
}

export interface DowntimeReport {
  budgetMs: number;
  met: boolean;
}

export interface Versions {
  fastmig: string;
  daemon: Record<"source" | "destination", string>;
  criu: Record<"source" | "destination", string>;
  engine: Record<"source" | "destination", string>;
}

export interface ReportParts {
  id: string;
  epoch: number;
  service: string;
  from: string;
  to: string;
  strategy: string;
  budget: number | null;
  startedAt: Date;
  endedAt: Date;
  steps: StepTime[];
  mode: "direct" | "relay";
  reason: string | null;
  source: MigrationView;
  destination: MigrationView;
  versions: Versions;
  kept: MigrationReport["kept"];
  warnings: string[];
  precopy: Pick<PreCopyRun, "decision" | "rounds" | "quota" | "costs">;
}

export function migrationReport(parts: ReportParts): MigrationReport {
  const {
    id,
    epoch,
    service,
    from,
    to,
    strategy,
    startedAt,
    endedAt,
    steps,
    source,
    destination,
    versions,
    kept,
    warnings,
  } = parts;
  const blackout = blackoutOf(source, destination);
  return {
    schemaVersion: 1,
    ...{ id, epoch, service, from, to, strategy },
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    durationMs: endedAt.getTime() - startedAt.getTime(),
    steps,
    transfer: transferReport(parts),
    rounds: source.rounds,
    precopy: preCopyReport(parts.precopy, blackout),
    blackout,
    downtime: downtimeReport(parts.budget, blackout),
    timeline: { source: source.timeline, destination: destination.timeline },
    verified: { source: source.verified, destination: destination.verified },
    criu: { dump: source.stats, restore: destination.stats },
    ...{ versions, kept, warnings },
  };
}

function preCopyReport(
  { decision, rounds, quota, costs }: ReportParts["precopy"],
  blackout: Blackout | null,
): PreCopyReport | null {
  if (decision === null) return null;
  const { kind, text, prediction } = decision;
  return {
    why: decision.kind === "switch" ? decision.why : kind,
    text,
    predictedMs: prediction === null ? null : round(prediction.downtimeMs),
    blackoutMs: blackout?.ms ?? null,
    parts: prediction?.parts ?? null,
    costs,
    series: [...rounds],
    quota,
  };
}

/** From the source's freeze until the destination runs; null where a daemon left no mark. */
export function blackoutOf(source: MigrationView, destination: MigrationView): Blackout | null {
  const { frozen, running: heard } = source.timeline;
  const { running } = destination.timeline;
  if (frozen === undefined || source.startedAt === null) return null;
  const froze = Date.parse(source.startedAt) + frozen;
  const frozenAt = new Date(froze).toISOString();
  if (heard !== undefined) return { frozenAt, ms: round(heard - frozen), clock: "source" };
  if (running === undefined || destination.startedAt === null) return null;
  return { frozenAt, ms: round(Date.parse(destination.startedAt) + running - froze), clock: "both" };
}

function transferReport({ mode, reason, source }: ReportParts): TransferReport {
  const { bytes, files } = source.transfer;
  const { frozen, shipped } = source.timeline;
  const ms = frozen === undefined || shipped === undefined ? null : round(shipped - frozen);
  return {
    mode,
    reason,
    bytes,
    files,
    ms,
    bytesPerSecond: ms === null || ms <= 0 ? null : Math.round((bytes * 1000) / ms),
  };
}

function downtimeReport(budget: number | null, blackout: Blackout | null): DowntimeReport | null {
  return budget === null || blackout === null ? null : { budgetMs: budget, met: blackout.ms <= budget };
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
