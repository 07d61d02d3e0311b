/** FastMig's requests: field names and defaults are its own, what it does not know of is left out of account. */
import * as z from "zod/mini";

const word = z._default(z.string().check(z.maxLength(131_072)), "");
const no = z._default(z.boolean(), false);
const verbose = z._default(z.int().check(z.minimum(0), z.maximum(255)), 0);
/** `NAME=VALUE`, where the value may contain more of `=`. */
const envs = z._default(z.array(z.string().check(z.regex(/^[^=\0]+=[^\0]*$/))).check(z.maxLength(4096)), []);

export const RunRequest = z.object({
  /** The command line, in words as a shell has them. Empty: it is only restored. */
  app_args: word,
  /** Empty: `file:$HOME/.fastfreeze/…`. */
  image_url: word,
  on_app_ready: word,
  passphrase_file: word,
  /** With colons between. */
  preserved_paths: word,
  no_restore: no,
  allow_bad_image: no,
  leave_stopped: no,
  verbose,
  envs,
  /** Whether it may run from scratch: never, where there is no image that fits, or also where that one cannot be restored. */
  cold_start: z._default(z.enum(["never", "if-missing", "always"]), "if-missing"),
});
export type RunRequest = z.infer<typeof RunRequest>;

export const CheckpointRequest = z.object({
  /** Empty: that of the run. */
  image_url: word,
  passphrase_file: word,
  preserved_paths: word,
  leave_running: no,
  num_shards: z._default(z.int().check(z.minimum(0), z.maximum(255)), 4),
  /** `low`, `medium`, `high`; empty: medium. */
  cpu_budget: z._default(z.enum(["", "low", "medium", "high"]), ""),
  verbose,
  envs,
});
export type CheckpointRequest = z.infer<typeof CheckpointRequest>;

export const StopRequest = z.object({
  /** Milliseconds from SIGTERM to SIGKILL. */
  timeout: z._default(z.int().check(z.minimum(0), z.maximum(3_600_000)), 10_000),
});
export type StopRequest = z.infer<typeof StopRequest>;

export const Done = z.object({ message: z.string() });
export type Done = z.infer<typeof Done>;
