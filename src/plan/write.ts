import { stringify } from "yaml";
import { assertNever } from "../errors.js";
import { exactRate, exactSize, formatDuration } from "../units.js";
import { formatPublish } from "./forms/ports.js";
import { formatVolume } from "./forms/volumes.js";
import type {
  Bandwidth,
  Health,
  Plan,
  PlanMigration,
  PlanNode,
  PlannedCheckpoint,
  PlanService,
  RunOptions,
} from "./plan.js";
import type { WrittenMigration } from "./schema/migration.js";
import type { WrittenNode } from "./schema/node.js";
import type { WrittenService } from "./schema/service.js";
import type { WrittenPlan } from "./schema/written-plan.js";

type WrittenRun = WrittenService["run"];
type WrittenHealth = WrittenService["health"];

/** The plan as YAML with every default written out; it reads back as the same plan. */
export function planYaml(plan: Plan): string {
  return stringify(writtenPlan(plan), { lineWidth: 0 });
}

/** A plan as YAML may say it, nothing left to a default. */
export function writtenPlan(plan: Plan): WrittenPlan {
  const { parallel, perNode, onFailure, keepSource } = plan.options;
  return {
    version: 1,
    nodes: mapValues(plan.nodes, writtenNode),
    services: mapValues(plan.services, writtenService),
    migrations: plan.migrations.map(writtenMigration),
    options: { parallel, perNode, onFailure, keepSource: formatDuration(keepSource) },
  };
}

function writtenNode({ reach, address, sudo, engine, transferPorts: ports }: PlanNode): WrittenNode {
  return {
    ...(reach.kind === "ssh"
      ? { ssh: reach.alias }
      : { host: reach.host, ...optional({ user: reach.user }), port: reach.port }),
    ...optional({ address }),
    sudo,
    engine,
    ...optional({ transferPorts: ports && `${ports.first}-${ports.last}` }),
  };
}

function writtenService(service: PlanService): WrittenService {
  const { image, command, env, user, workdir, cpuBaseline, virtualTime, preserve, shared, leave } = service;
  const run = writtenRun(service.run);
  const { checkpoint, health } = service;
  return {
    image,
    command,
    env,
    ...optional({ user, workdir }),
    run,
    ...optional({ cpuBaseline }),
    virtualTime,
    preserve,
    shared,
    leave,
    ...optional({
      checkpoint: checkpoint && writtenCheckpoint(checkpoint),
      health: writtenHealth(health),
    }),
  };
}

function writtenCheckpoint({
  to,
  keep,
  every,
}: PlannedCheckpoint): NonNullable<WrittenService["checkpoint"]> {
  return { to, ...optional({ keep, every: every === null ? null : formatDuration(every) }) };
}

function writtenRun({ publish, volumes, network, ip, memory, args }: RunOptions): WrittenRun {
  return {
    publish: publish.map(formatPublish),
    volumes: volumes.map(formatVolume),
    ...optional({ network, ip, memory: memory === null ? null : exactSize(memory) }),
    args,
  };
}

function writtenHealth(health: Health | null): WrittenHealth | null {
  return (
    health && {
      ...writtenProbe(health),
      timeout: formatDuration(health.timeout),
      interval: formatDuration(health.interval),
    }
  );
}

function writtenProbe(health: Health): NonNullable<WrittenHealth> {
  switch (health.kind) {
    case "http":
      return { http: health.url };
    case "exec":
      return { exec: health.command };
    case "tcp":
      return { tcp: `${health.host.includes(":") ? `[${health.host}]` : health.host}:${health.port}` };
    default:
      return assertNever(health);
  }
}

function writtenMigration(migration: PlanMigration): WrittenMigration {
  const { service, from, to, strategy, precopy, downtime, bandwidth, deadline, lease, transfer, tcp } =
    migration;
  return {
    ...{ service, from, to, strategy },
    ...precopy,
    ...optional({ downtime: downtime === null ? null : formatDuration(downtime) }),
    ...optional({ bandwidth: writtenBandwidth(bandwidth) }),
    ...{ deadline: formatDuration(deadline), lease: formatDuration(lease), transfer, tcp },
  };
}

function writtenBandwidth({ rounds, final }: Bandwidth): WrittenMigration["bandwidth"] | null {
  const rate = (value: number | null): string | null => (value === null ? null : exactRate(value));
  return rounds === null && final === null ? null : optional({ rounds: rate(rounds), final: rate(final) });
}

function mapValues<T, R>(entries: Record<string, T>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)]));
}

/** Leaves out what is null: such a key cannot be written, it can only be left out. */
function optional<T extends Record<string, unknown>>(entries: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const there = Object.entries(entries).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(there) as { [K in keyof T]?: NonNullable<T[K]> };
}
