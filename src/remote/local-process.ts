import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Argv } from "../argv.js";
import type { Ending, Running } from "./running.js";

/**
 * Starts a command of this machine, in a process group of its own: a Ctrl-C at the terminal is the program's to handle.
 * Not by execa: it begins to drain an output that nobody reads yet, and what a late reader then gets lacks its beginning.
 */
export function startLocally(argv: Argv): Running {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { stdio: "pipe", detached: true });
  const { stdin, stdout, stderr } = child;
  let abandon: () => void = () => undefined;
  const abandoned = new Promise<Ending>((resolve) => {
    abandon = () => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
      resolve({ kind: "lost", reason: "it does not end" });
    };
  });
  const ended = Promise.race([ending(child, file), abandoned]);
  return { stdin, stdout, stderr, ended, kill: (signal) => killGroup(child.pid, `SIG${signal}`), abandon };
}

/** The exit codes that a shell gives for what cannot be run. */
const notStarted: Record<string, number> = { ENOENT: 127 };

function ending(child: ChildProcessWithoutNullStreams, file: string): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("error", (thrown: NodeJS.ErrnoException) => {
      child.stderr.unshift(`${file}: ${thrown.message}\n`);
      resolve({ kind: "exited", code: notStarted[thrown.code ?? ""] ?? 126 });
    });
    child.once("close", (code, signal) => {
      resolve(code === null ? { kind: "signaled", signal: String(signal) } : { kind: "exited", code });
    });
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
