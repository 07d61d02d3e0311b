import { join } from "node:path";
import { execa } from "execa";
import { type Ended, root } from "./fastmig.js";

/** A `fastmig` that is still at it. */
export interface RunningFastmig {
  kill(signal: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** `exit` is 128 + n where signal n ended it. */
  ended: Promise<Ended>;
}

const numbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Starts the built CLI with this environment and returns at once. */
export function startFastmig(args: readonly string[], env: Record<string, string>): RunningFastmig {
  const child = execa(process.execPath, [join(root, "bin/run.js"), ...args], {
    cwd: root,
    env,
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
  const ended = child.then(({ exitCode, signal, stdout, stderr }) => ({
    exit: exitCode ?? 128 + (numbers[signal ?? ""] ?? 0),
    stdout,
    stderr,
  }));
  return { kill: (signal) => void child.kill(signal), ended };
}
