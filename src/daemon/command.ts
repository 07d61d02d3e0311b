import { execFile } from "node:child_process";
import type { Argv } from "../argv.js";

export interface CommandResult {
  /** Null where a signal ended it. */
  code: number | null;
  output: string;
}

/**
 * Runs a short helper to its end, as the daemon's own child; both outputs come back as one text (at most 1 MiB). Where the
 * signal aborts it is killed, and has ended when the promise resolves.
 */
export function runCommand(
  argv: Argv,
  env?: Record<string, string>,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const [file = "", ...args] = argv;
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 1024 * 1024 };
    const stop = (): void => void child.kill("SIGKILL");
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      signal?.removeEventListener("abort", stop);
      const unstarted = error !== null && child.pid === undefined ? error.message : "";
      resolve({ code: child.exitCode, output: stdout + stderr + unstarted });
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The last lines of a text, without empty ones. */
export function tail(text: string, lines = 20): string[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-lines);
}
