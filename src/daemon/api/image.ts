/** Checkpoints to an image store and restores from one. */
import * as z from "zod/mini";
import { ContainerPath, count, Epoch, Failure, MigrationId, text } from "./words.js";

/** Base64 of a passphrase's bytes; null: the image is not encrypted. */
const passphrase = z.nullable(z.string().check(z.maxLength(8192)));

const port = z.int().check(z.minimum(1), z.maximum(65_535));

/** More options for CRIU, as `--ghost-limit`, `512M`. */
const criuOptions = z.array(text).check(z.maxLength(256));

/** Environment variables by which the store is reached, beside those of the daemon; secrets are among them. */
const access = z.record(z.string(), z.string().check(z.maxLength(65_536)));

export const CheckpointRequest = z.strictObject({
  id: MigrationId,
  url: text,
  access,
  /**
   * Null: the image lies at `url` itself. Else in a place of its own below it, named by its time, and of the service's images there
   * so many, the newest, stay.
   */
  keep: z.nullable(z.int().check(z.minimum(1), z.maximum(10_000))),
  /** Whether the service goes on; else it ends once the image is whole. */
  leaveRunning: z.boolean(),
  packing: z.enum(["plain", "lz4", "zstd"]),
  shards: z.int().check(z.minimum(1), z.maximum(256)),
  /** Paths of the container that travel with the memory; one that is not there is left out. */
  preserve: z.array(ContainerPath).check(z.maxLength(1024)),
  passphrase,
  criuOptions,
  /** How long the service may stay frozen: without progress, and in all. */
  lease: count,
  deadline: count,
});
export type CheckpointRequest = z.infer<typeof CheckpointRequest>;

export const RestoreRequest = z.strictObject({
  id: MigrationId,
  /** At least; later than the image's in any case. */
  epoch: Epoch,
  url: text,
  access,
  /** Whether the service's newest image below `url` is meant. */
  latest: z.boolean(),
  passphrase,
  criuOptions,
  /** Other ports for sockets that listen. */
  listenRemap: z.array(z.strictObject({ from: port, to: port })).check(z.maxLength(1024)),
  /** Whether its processes stay stopped, by SIGSTOP, until somebody lets them go. */
  leaveStopped: z.boolean(),
  /** The name of the service that the image has to be of. */
  service: text,
});
export type RestoreRequest = z.infer<typeof RestoreRequest>;

/** A checkpoint or a restore, under way or over: a node has one at a time, and none beside an open migration. */
export const ImageWork = z.strictObject({
  id: MigrationId,
  verb: z.enum(["checkpoint", "restore"]),
  url: text,
  state: z.enum(["working", "done", "failed"]),
  /**
   * `preparing`, `frozen`, `publishing`, `ending`; `checking`, `fetching`, `restoring`, `resuming`. What it failed in, where it did.
   */
  phase: text,
  startedAt: z.string(),
  /** Bytes of CRIU's images so far, and what they take in the shards. */
  bytes: count,
  stored: count,
  /** How long the service stood still, or, of a restore, from CRIU's start until it ran. Null: it did not come to that. */
  frozenMs: z.nullable(z.number()),
  totalMs: z.nullable(z.number()),
  /** Its `code` is stable: `IMAGE_DAMAGED`, `CRIU`, `LEASE` … */
  failure: z.nullable(z.extend(Failure, { code: text })),
});
export type ImageWork = z.infer<typeof ImageWork>;
