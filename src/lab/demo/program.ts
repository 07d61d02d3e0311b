import { existsSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { execa } from "execa";
import { commandLine } from "../../argv.js";
import { exitCodes, FastmigError } from "../../errors.js";
import { packageRoot } from "./images.js";

/** How a person starts this very program, here and now. */
export function programName(): string {
  const installed = (process.env.PATH ?? "").split(delimiter).some((dir) => existsSync(join(dir, "fastmig")));
  if (installed) return "fastmig";
  return commandLine(
    [process.execPath, process.argv[1] ?? "bin/run.js"].map((path) => relative(process.cwd(), path)),
  );
}

export interface Program {
  sshConfig: string;
  signal: AbortSignal;
  /** Whether its standard output is ours, for a person; else it is what `run` resolves to. */
  shown: boolean;
}

/**
 * Runs fastmig itself, as a user would, with its progress on our stderr. In a process group of its own: a Ctrl-C
 * reaches it once, from us, and it rolls back.
 */
export async function fastmig(
  args: readonly string[],
  { sshConfig, signal, shown }: Program,
): Promise<string> {
  const argv = [join(packageRoot, "bin/run.js"), ...args];
  const child = execa(process.execPath, argv, {
    env: { FASTMIG_SSH_CONFIG: sshConfig },
    detached: true,
    reject: false,
    stdin: "ignore",
    stdout: shown ? "inherit" : "pipe",
    stderr: "inherit",
  });
  const interrupt = (): void => void child.kill("SIGINT");
  signal.addEventListener("abort", interrupt, { once: true });
  const { exitCode, stdout } = await child;
  signal.removeEventListener("abort", interrupt);
  signal.throwIfAborted();
  if (exitCode === 0) return stdout ?? "";
  throw new FastmigError(`fastmig ${args.join(" ")} ended with ${exitCode ?? "a signal"}`, {
    code: "DEMO_STEP",
    exit: exitCodes.rolledBack,
    hint: "what it said stands above; the lab is still up, to look around",
  });
}
