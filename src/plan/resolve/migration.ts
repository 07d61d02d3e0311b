import { parseDuration } from "../../units.js";
import { defaults } from "../defaults.js";
import type { PlanMigration, PlanOptions } from "../plan.js";
import type { WrittenMigration, WrittenOptions } from "../schema/migration.js";

export function resolveMigration(written: WrittenMigration): PlanMigration {
  return {
    service: written.service,
    from: written.from,
    to: written.to,
    strategy: written.strategy ?? defaults.strategy,
    downtime: written.downtime === undefined ? null : parseDuration(written.downtime),
    deadline: parseDuration(written.deadline ?? defaults.deadline),
    lease: parseDuration(written.lease ?? defaults.lease),
    transfer: written.transfer ?? defaults.transfer,
    tcp: written.tcp ?? defaults.tcp,
  };
}

export function resolveOptions(written: WrittenOptions): PlanOptions {
  return {
    parallel: written.parallel ?? defaults.parallel,
    perNode: written.perNode ?? defaults.perNode,
    onFailure: written.onFailure ?? defaults.onFailure,
    keepSource: parseDuration(written.keepSource ?? defaults.keepSource),
  };
}
