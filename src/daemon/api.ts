/**
 * What the daemon is asked and what it answers: the only shared vocabulary of daemon, CLI and peer.
 * Every request is validated by its schema; docs/openapi.json is generated from the same schemas.
 * Durations are milliseconds, sizes bytes, times ISO 8601 unless a name says otherwise.
 */
import * as z from "zod/mini";

export const apiVersion = 1;

const text = z.string().check(z.minLength(1), z.maxLength(4096));
const count = z.int().check(z.minimum(0));
export const MigrationId = z.string().check(z.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/));
export const Epoch = z.int().check(z.minimum(1));
/** An absolute path without `.` or `..` parts. */
export const ContainerPath = z
  .string()
  .check(z.regex(/^(\/|(\/(?!\.{1,2}(\/|$))[^/\0]+)+)$/), z.maxLength(4096));

/** What runs: enough to start it from scratch, and to know it again. */
export const ServiceSpec = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/)),
  /** An argument may be empty, as in `redis-server --save ""`. */
  command: z.array(z.string().check(z.maxLength(4096))).check(z.minLength(1), z.maxLength(1024)),
  env: z.record(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), z.string()),
  /** `name`, `uid`, `name:group` or `uid:gid`, looked up in the container's passwd. */
  user: text,
  workdir: ContainerPath,
});
export type ServiceSpec = z.infer<typeof ServiceSpec>;

// ---- the service --------------------------------------------------------------------------------

export const RunRequest = z.strictObject({ epoch: Epoch, service: ServiceSpec });
export type RunRequest = z.infer<typeof RunRequest>;

export const StopRequest = z.strictObject({ timeout: z._default(count, 10_000) });
export type StopRequest = z.infer<typeof StopRequest>;

export const Ended = z.strictObject({
  code: z.nullable(z.int()),
  signal: z.nullable(z.string()),
  at: z.string(),
});
export type Ended = z.infer<typeof Ended>;

export const ServiceState = z.discriminatedUnion("state", [
  z.strictObject({ state: z.literal("standby") }),
  z.strictObject({ state: z.literal("running"), pid: count, startTime: count, since: z.string() }),
  /** Frozen at the source or held at the destination: in memory, executes nothing. */
  z.strictObject({ state: z.literal("held"), pid: count }),
  z.strictObject({ state: z.literal("ended"), ended: Ended }),
]);
export type ServiceState = z.infer<typeof ServiceState>;

/** What this node's state directory says about the service. */
export const Ownership = z.strictObject({
  epoch: count,
  /** `owner`: may execute it. `released`: a tombstone, it went elsewhere at this epoch. `none`: never had it. */
  role: z.enum(["owner", "released", "none"]),
  service: z.nullable(ServiceSpec),
});
export type Ownership = z.infer<typeof Ownership>;

export const ProcessInfo = z.strictObject({
  pid: count,
  startTime: count,
  uid: count,
  /** Bytes resident. */
  rss: count,
  name: z.string(),
  /** The highest of its thread ids. */
  highestTid: count,
});
export type ProcessInfo = z.infer<typeof ProcessInfo>;

// ---- migrations ---------------------------------------------------------------------------------

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

/** Why something failed, as the daemon saw it. */
export const Failure = z.strictObject({
  /** `dump`, `transfer`, `restore`, `lease`, `peer`, `abort`, `preserve`, `resume` … */
  step: text,
  message: text,
  /** CRIU's log around each `Error`, or a command's tail. */
  log: z.array(z.string()),
  hint: z.nullable(z.string()),
});
export type Failure = z.infer<typeof Failure>;

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
  startedAt: z.string(),
  /** From its parent's freeze to its own, in which its pages were written; null for a full one. */
  sinceParentMs: z.nullable(z.number()),
  /** How long the service stood still for it. */
  frozenMs: z.nullable(z.number()),
  /** From its start to CRIU's end, and to the peer's last answer. */
  dumpMs: z.nullable(z.number()),
  totalMs: z.nullable(z.number()),
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
  /** What the daemon verified: `digests`, `stdio`, `pids-dead` … in the order it did. */
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

// ---- canary, CPU --------------------------------------------------------------------------------

export const CanaryRequest = z.strictObject({
  user: text,
  /** Bytes of memory it holds, all written: what a dump and a restore cost beside what they cost at least. */
  memory: count.check(z.maximum(1024 ** 3)),
});
export type CanaryRequest = z.infer<typeof CanaryRequest>;
export const CanaryResult = z.strictObject({
  ok: z.boolean(),
  dumpMs: z.number(),
  restoreMs: z.number(),
  failure: z.nullable(Failure),
});
export type CanaryResult = z.infer<typeof CanaryResult>;

/** `criu cpuinfo dump` of one node, base64 of cpuinfo.img, for `cpuinfo check` on the other. */
export const CpuImage = z.strictObject({ image: z.string().check(z.maxLength(65536)) });
export type CpuImage = z.infer<typeof CpuImage>;
export const CpuCheckResult = z.strictObject({ ok: z.boolean(), log: z.array(z.string()) });
export type CpuCheckResult = z.infer<typeof CpuCheckResult>;

// ---- status -------------------------------------------------------------------------------------

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

// ---- peer ---------------------------------------------------------------------------------------

/** A file of the checkpoint image, relative: `final/pages-1.img`, `1/core-1000.img`, `preserve.tar`. */
export const ImageFile = z
  .string()
  .check(z.regex(/^((final|[1-9][0-9]{0,3})\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/));
export const Segment = z.strictObject({
  file: ImageFile,
  offset: count,
  length: count,
  digest: z.string().check(z.regex(/^[0-9a-f]{32}$/)),
});
export type Segment = z.infer<typeof Segment>;

/** Asked before the freeze: it proves the way between the daemons, makes room and moves the PID cursor. */
export const ExpectRequest = z.strictObject({
  epoch: Epoch,
  highestPid: count,
  uid: count,
  gid: count,
  /** The round that is coming; null: the final dump. Nothing else is taken then. */
  round: z.nullable(z.int().check(z.minimum(1))),
  /** Bytes of the images still to come, at most. */
  bytes: count,
  /** Resident bytes of the tree. */
  tree: count,
  /** About what the page image of each process will have, parents first: allocated in advance. */
  pages: z.array(count),
  /** Bytes of memory that are touched in advance. */
  warm: count,
});
export type ExpectRequest = z.infer<typeof ExpectRequest>;

/** Everything the destination must hold before it restores; sent last. */
export const FinalRequest = z.strictObject({
  epoch: Epoch,
  files: z.array(
    z.strictObject({
      file: ImageFile,
      size: count,
      segments: z.array(z.strictObject({ offset: count, length: count, digest: z.string() })),
    }),
  ),
  /** What the destination needs to restore and to check itself against. */
  tree: z.strictObject({
    rootPid: count,
    highestPid: count,
    uid: count,
    gid: count,
    groups: z.array(count),
    stdoutInode: z.nullable(count),
    stderrInode: z.nullable(count),
  }),
  /** The chain that the final dump builds on, the full round first; each round's parent is the one before it. */
  rounds: z.array(z.int()),
});
export type FinalRequest = z.infer<typeof FinalRequest>;

/** A round is over at the source: the destination answers only where it holds every byte of it. */
export const RoundArrived = z.strictObject({
  epoch: Epoch,
  round: z.int().check(z.minimum(1)),
  files: FinalRequest.shape.files,
});
export type RoundArrived = z.infer<typeof RoundArrived>;

/** The chain is poisoned: every round's files are removed. */
export const ForgetRounds = z.strictObject({ epoch: Epoch });
export type ForgetRounds = z.infer<typeof ForgetRounds>;

/** The destination's answer to `final` and `released`. */
export const PeerState = z.strictObject({ state: DestinationStateName, failure: z.nullable(Failure) });
export type PeerState = z.infer<typeof PeerState>;

export const Received = z.strictObject({ segments: z.array(Segment) });
export type Received = z.infer<typeof Received>;

/** Every error answer, 4xx and 5xx. */
export const ErrorBody = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), problems: z.optional(z.array(z.string())) }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
