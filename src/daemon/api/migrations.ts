/** A migration, as the CLI asks for it and sees it. */
import * as z from "zod/mini";
import { ContainerPath, count, Epoch, Failure, MigrationId, ServiceSpec, text } from "./words.js";

export const Role = z.enum(["source", "destination"]);
export type Role = z.infer<typeof Role>;

/** The migration that is open on a node: this record is the lock (state directory, `open.json`). */
export const OpenMigration = z.strictObject({
  id: MigrationId,
  epoch: Epoch,
  role: Role,
  service: ServiceSpec,
  from: text,
  to: text,
  /** Who opened it: `user@host pid N`. */
  by: text,
  plan: text,
  openedAt: z.string(),
});
export type OpenMigration = z.infer<typeof OpenMigration>;

/** The states of both halves; the transitions stand in hand-over/table.ts. */
export const SourceStateName = z.enum([
  "opened",
  "dumping",
  "held",
  "asking",
  "releasing",
  "released",
  "restoringBack",
  "aborting",
  "aborted",
  "reclaimed",
  "confirmed",
]);
export type SourceStateName = z.infer<typeof SourceStateName>;
export const DestinationStateName = z.enum([
  "opened",
  "receiving",
  "restoring",
  "prepared",
  "reviving",
  "resuming",
  "running",
  "inDoubt",
  "discarding",
  "discarded",
  "confirmed",
]);
export type DestinationStateName = z.infer<typeof DestinationStateName>;

/** Milliseconds since the daemon's first dump step, by name: `frozen`, `dumped`, `shipped`, `prepared`, `released`, `dead`, `running`. */
export const Timeline = z.record(z.string(), z.number());

export const TransferProgress = z.strictObject({
  /** Bytes the peer has verified. */
  bytes: count,
  /** Bytes known so far; grows while CRIU writes. */
  total: count,
  files: count,
});
export type TransferProgress = z.infer<typeof TransferProgress>;

/** Proof that the source's tree of that epoch is dead. */
export const ReleaseProof = z.strictObject({
  id: MigrationId,
  epoch: Epoch,
  /** `dead`: the source daemon saw every dumped PID dead. `stopped`: its node saw the container stopped, with a released verdict. */
  kind: z.enum(["dead", "stopped"]),
  pids: z.array(count),
});
export type ReleaseProof = z.infer<typeof ReleaseProof>;

/** One pre-dump and its transfer, while the service runs. Pages have 4096 bytes. */
export const Round = z.strictObject({
  /** Counts up over the whole migration, also over rounds that failed: the name of its image directory. */
  number: z.int().check(z.minimum(1)),
  /** The round whose pages it builds on, always the good one before it; null: it holds the whole memory. */
  parent: z.nullable(z.int()),
  /** `failed` poisons the chain: no later round or final dump builds on it or on what came before it. */
  state: z.enum(["dumping", "shipping", "done", "failed"]),
  /** CRIU's `stats-dump`, null until it has ended. */
  pages: z.nullable(z.strictObject({ scanned: count, skipped: count, written: count })),
  /** Of all its files, and how many of them the peer has verified. */
  bytes: count,
  shipped: count,
  /** Of those that say which pages there are: they grow with the runs of pages. */
  mapBytes: count,
  startedAt: z.string(),
  /** From its parent's freeze to its own, in which its pages were written; null for a full one. */
  sinceParentMs: z.nullable(z.number()),
  /** How long the service stood still for it. */
  frozenMs: z.nullable(z.number()),
  /** From its start to CRIU's end, and to the peer's last answer. */
  dumpMs: z.nullable(z.number()),
  totalMs: z.nullable(z.number()),
  /** Of it, the peer's answer to the list of the round's files. */
  answerMs: z.nullable(z.number()),
  failure: z.nullable(Failure),
});
export type Round = z.infer<typeof Round>;

/** What the operator changed while the migration is under way; null: as the plan has it. */
export const Tuning = z.strictObject({
  /** Bytes per second of the rounds together. */
  bandwidth: z.nullable(z.int().check(z.minimum(1))),
  /** The budget, for whoever decides when to switch over. */
  downtime: z.nullable(count),
});
export type Tuning = z.infer<typeof Tuning>;

export const MigrationView = z.strictObject({
  id: MigrationId,
  epoch: Epoch,
  role: Role,
  state: z.union([SourceStateName, DestinationStateName]),
  /** The verdict file's content, or null while there is none. */
  verdict: z.nullable(z.enum(["released", "running", "aborted"])),
  failure: z.nullable(Failure),
  transfer: TransferProgress,
  timeline: Timeline,
  /** ISO time of each timeline entry's zero, to place both daemons' timelines on one clock where they share it. */
  startedAt: z.nullable(z.string()),
  /** CRIU's own statistics of the dump or the restore, microseconds and pages. */
  stats: z.nullable(z.record(z.string(), z.number())),
  /** Source only, once every dumped PID is dead. */
  proof: z.nullable(ReleaseProof),
  /** What the daemon verified: `digests` (over a line seals, which prove as much), `stdio`, `pids-dead` … in the order it did. */
  verified: z.array(z.string()),
  /** Source only: every round so far, the last one may be under way. */
  rounds: z.array(Round),
  tuning: Tuning,
});
export type MigrationView = z.infer<typeof MigrationView>;

/** How the source's daemon reaches the destination's. */
export const Peer = z.discriminatedUnion("transport", [
  /** Through the CLI: a socket in the runtime directory. */
  z.strictObject({ transport: z.literal("relay"), socket: text }),
  /** TLS-PSK straight to the destination's listener. `psk` is hex, 32 bytes, of this migration alone. */
  z.strictObject({ transport: z.literal("direct"), host: text, port: z.int(), psk: text }),
]);
export type Peer = z.infer<typeof Peer>;

export const ListenRequest = z.strictObject({
  port: z.int().check(z.minimum(1), z.maximum(65535)),
  psk: text,
});
export type ListenRequest = z.infer<typeof ListenRequest>;

export const SwitchoverRequest = z.strictObject({
  peer: Peer,
  preserve: z.array(ContainerPath),
  /** How long the service may stay frozen without verified progress. */
  lease: count,
  /** From the freeze on, in all. */
  deadline: count,
  /** Bytes per second of the final copy at most; null: as fast as the line is. */
  bandwidth: z.nullable(z.int().check(z.minimum(1))),
});
export type SwitchoverRequest = z.infer<typeof SwitchoverRequest>;

/** Whether the source's daemon reaches the peer; the connection is kept for what is asked of it next. */
export const ReachRequest = z.strictObject({ peer: Peer });
export type ReachRequest = z.infer<typeof ReachRequest>;
/** Why it does not; null: it does. */
export const ReachResult = z.strictObject({ obstacle: z.nullable(text) });
export type ReachResult = z.infer<typeof ReachResult>;

/** A round: answered with 202 as soon as it has begun; the view's `rounds` tells how it goes. */
export const RoundRequest = z.strictObject({
  peer: Peer,
  /** Bytes per second at most; a tuning that the operator made goes before. */
  bandwidth: z.nullable(z.int().check(z.minimum(1))),
});
export type RoundRequest = z.infer<typeof RoundRequest>;

/** What is named is changed; what is not, stays. */
export const TuneRequest = z.partial(Tuning);
export type TuneRequest = z.infer<typeof TuneRequest>;

/**
 * At the destination, once it told the source that it is prepared, only the source decides: there an abort needs
 * `sourceAborted`, the caller's word that the source answered `aborted` (or `reclaimed`).
 */
export const AbortRequest = z.strictObject({ sourceAborted: z._default(z.boolean(), false) });
export type AbortRequest = z.infer<typeof AbortRequest>;

/** `resolve`: the operator's explicit statement about the side that cannot be asked. */
export const ResolveRequest = z.strictObject({ keep: Role, fenced: text });
export type ResolveRequest = z.infer<typeof ResolveRequest>;
