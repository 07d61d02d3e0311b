import * as z from "zod/mini";

export const text = z.string().check(z.minLength(1), z.maxLength(4096));
export const count = z.int().check(z.minimum(0));
export const MigrationId = z.string().check(z.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/));
export const Epoch = z.int().check(z.minimum(1));
/** An absolute path without `.` or `..` parts. */
export const ContainerPath = z
  .string()
  .check(z.regex(/^(\/|(\/(?!\.{1,2}(\/|$))[^/\0]+)+)$/), z.maxLength(4096));

/** What runs: enough to start it from scratch, and to know it again. */
export const ServiceSpec = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/)),
  /** An argument may be as long as Linux has it, or empty, as in `redis-server --save ""`. */
  command: z.array(z.string().check(z.maxLength(131_072))).check(z.minLength(1), z.maxLength(1024)),
  env: z.record(z.string().check(z.regex(/^[A-Za-z_][A-Za-z0-9_]*$/)), z.string()),
  /** `name`, `uid`, `name:group` or `uid:gid`, looked up in the container's passwd. */
  user: text,
  workdir: ContainerPath,
  /** What it may use of a processor, by the kernel's names; not there: all that it finds where it starts. */
  instructions: z.optional(z.array(z.string().check(z.regex(/^[a-z0-9_]{1,32}$/))).check(z.maxLength(512))),
  /** False: it goes by the clocks of the host that it is on. */
  virtualTime: z.optional(z.boolean()),
});
export type ServiceSpec = z.infer<typeof ServiceSpec>;

/** Nanoseconds, which a number has no room for. */
const nanoseconds = z.string().check(z.regex(/^-?[0-9]{1,19}$/));
/** What the service's clocks showed when it was frozen. */
export const Clocks = z.strictObject({
  monotonic: nanoseconds,
  monotonicRaw: nanoseconds,
  boottime: nanoseconds,
});
export type Clocks = z.infer<typeof Clocks>;

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
