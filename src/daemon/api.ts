/**
 * What the daemon is asked and what it answers: the only shared vocabulary of daemon, CLI and peer.
 * Every request is validated by its schema; docs/openapi.json is generated from the same schemas.
 * Durations are milliseconds, sizes bytes, times ISO 8601 unless a name says otherwise.
 */
import * as z from "zod/mini";
import { ImageWork } from "./api/image.js";
import { MigrationView, OpenMigration } from "./api/migrations.js";
import { Ownership, ProcessInfo, ServiceState } from "./api/service.js";
import { count } from "./api/words.js";

export * from "./api/image.js";
export * from "./api/migrations.js";
export * from "./api/peer.js";
export * from "./api/service.js";
export { Clocks, ContainerPath, Epoch, Failure, MigrationId, ServiceSpec } from "./api/words.js";

export const apiVersion = 1;

export const Status = z.strictObject({
  apiVersion: z.literal(apiVersion),
  version: z.string(),
  /** The daemon's PID in the container, and how often init had to start it. */
  pid: count,
  ownership: Ownership,
  service: ServiceState,
  tree: z.array(ProcessInfo),
  open: z.nullable(OpenMigration),
  migration: z.nullable(MigrationView),
  /** The checkpoint or restore that is under way, or the last one of this daemon's time. */
  image: z.nullable(ImageWork),
  criu: z.strictObject({ version: z.string(), features: z.array(z.string()) }),
  /** Bytes. `cgroupLimit` is null where there is none. */
  memory: z.strictObject({
    daemonRss: count,
    daemonPeak: count,
    cgroupLimit: z.nullable(count),
    cgroupUsed: count,
    hostAvailable: count,
    imagesFree: count,
  }),
  /** CLOCK_MONOTONIC of the container, milliseconds. */
  uptime: z.number(),
});
export type Status = z.infer<typeof Status>;

/** Every error answer, 4xx and 5xx. */
export const ErrorBody = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), problems: z.optional(z.array(z.string())) }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
