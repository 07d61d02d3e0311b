import { parseDuration, parseSize } from "../../units.js";
import { defaults } from "../defaults.js";
import { readHealthTcp } from "../forms/health.js";
import { readPath } from "../forms/paths.js";
import { readPublish } from "../forms/ports.js";
import { readVolume } from "../forms/volumes.js";
import type { Health, HealthProbe, PlannedCheckpoint, PlanService, RunOptions } from "../plan.js";
import type { WrittenService } from "../schema/service.js";

type WrittenHealth = NonNullable<WrittenService["health"]>;

export function resolveService(name: string, written: WrittenService): PlanService {
  return {
    name,
    image: written.image,
    command: written.command,
    env: written.env ?? {},
    user: written.user ?? null,
    workdir: written.workdir === undefined ? null : readPath(written.workdir),
    run: resolveRun(written.run ?? {}),
    cpuBaseline: written.cpuBaseline ?? null,
    virtualTime: written.virtualTime ?? defaults.virtualTime,
    preserve: (written.preserve ?? []).map(readPath),
    shared: (written.shared ?? []).map(readPath),
    leave: (written.leave ?? []).map(readPath),
    checkpoint: written.checkpoint === undefined ? null : resolveCheckpoint(written.checkpoint),
    health: written.health === undefined ? null : resolveHealth(written.health),
  };
}

function resolveCheckpoint({
  to,
  keep,
  every,
}: NonNullable<WrittenService["checkpoint"]>): PlannedCheckpoint {
  return { to, keep: keep ?? null, every: every === undefined ? null : parseDuration(every) };
}

function resolveRun(written: NonNullable<WrittenService["run"]>): RunOptions {
  return {
    publish: (written.publish ?? []).map(readPublish),
    volumes: (written.volumes ?? []).map(readVolume),
    network: written.network ?? null,
    ip: written.ip ?? null,
    memory: written.memory === undefined ? null : parseSize(written.memory),
    args: written.args ?? [],
  };
}

function resolveHealth(written: WrittenHealth): Health {
  const timeout = parseDuration(written.timeout ?? defaults.healthTimeout);
  const interval = parseDuration(written.interval ?? defaults.healthInterval);
  return { timeout, interval, ...probeOf(written) };
}

function probeOf({ http, exec, tcp }: WrittenHealth): HealthProbe {
  if (http !== undefined) return { kind: "http", url: http };
  if (exec !== undefined) return { kind: "exec", command: exec };
  if (tcp !== undefined) return { kind: "tcp", ...readHealthTcp(tcp) };
  throw new Error("a health check without a probe has passed its schema");
}
