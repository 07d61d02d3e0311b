import { join } from "node:path";
import { execa } from "execa";

export const root = join(import.meta.dirname, "../..");

export interface Ended {
  exit: number | undefined;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** The whole environment; without it, this process's own without colours. */
  env?: Record<string, string>;
  signal?: AbortSignal;
}

/** Runs the built CLI as a user does: a process of its own, no stdin. */
export async function fastmig(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return program(process.execPath, [join(root, "bin/run.js"), ...args], options);
}

/** Runs any program to its end; a non-zero exit is an answer, not an error. */
export async function program(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa(file, args, {
    reject: false,
    stdin: "ignore",
    cwd: options.cwd ?? root,
    env: options.env ?? { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
    extendEnv: false,
    cancelSignal: options.signal,
  });
  return { exit: exitCode, stdout, stderr };
}
