/** The service, what a node knows of it, and what a node can. */
import * as z from "zod/mini";
import { count, Epoch, Failure, ServiceSpec, text } from "./words.js";

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
  /** Whose monotonic clocks it goes by: `virtual`: its own, which go on where they stopped. */
  clocks: z.enum(["virtual", "host"]),
});
export type ProcessInfo = z.infer<typeof ProcessInfo>;

export const CanaryRequest = z.strictObject({
  user: text,
  /** Bytes of memory it holds, all written: what a dump and a restore cost beside what they cost at least. */
  memory: count.check(z.maximum(1024 ** 3)),
  /** Whether no page of it lies beside another: what each run of pages costs. */
  scattered: z.boolean(),
});
export type CanaryRequest = z.infer<typeof CanaryRequest>;
export const CanaryResult = z.strictObject({
  ok: z.boolean(),
  /** From CRIU's start until the tree is held, dumped or restored; and from there, once it may go, to its death or its life. */
  dumpMs: z.number(),
  releaseMs: z.number(),
  restoreMs: z.number(),
  resumeMs: z.number(),
  /** Bytes of the images that say which pages there are: they grow with the runs of pages. */
  mapBytes: count,
  /** One file written durably into the state directory. */
  durableMs: z.number(),
  failure: z.nullable(Failure),
});
export type CanaryResult = z.infer<typeof CanaryResult>;

/** `criu cpuinfo dump` of one node, base64 of cpuinfo.img, for `cpuinfo check` on the other. */
export const CpuImage = z.strictObject({ image: z.string().check(z.maxLength(65536)) });
export type CpuImage = z.infer<typeof CpuImage>;
export const CpuCheckResult = z.strictObject({ ok: z.boolean(), log: z.array(z.string()) });
export type CpuCheckResult = z.infer<typeof CpuCheckResult>;
