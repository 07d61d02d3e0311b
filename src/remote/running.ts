import { Readable, finished } from "node:stream";
import type { Writable } from "node:stream";
import type { ExecOptions, Outcome, RemoteProcess } from "./node.js";

export type Ending =
  { kind: "exited"; code: number } | { kind: "signaled"; signal: string } | { kind: "lost"; reason: string };

/** A command that runs on some back end. `ended` resolves when it ended and never rejects. */
export interface Running {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  ended: Promise<Ending>;
  kill(signal: "TERM" | "KILL"): void;
  /** Lets go of a command that does not end: its streams are destroyed. */
  abandon(): void;
}

export type Limits = Pick<ExecOptions, "signal" | "timeout" | "stdin">;

/** Milliseconds between SIGTERM and SIGKILL, and between SIGKILL and letting go. */
const grace = 2000;
/** Bytes of a spawned command's standard error that are kept for its outcome. */
const errorTail = 64 * 1024;

/** The outcome of a command whose output is collected. Never rejects. */
export async function collect(running: Running, options: ExecOptions): Promise<Outcome> {
  const stdout = textOf(running.stdout);
  const stderr = textOf(running.stderr);
  feed(running.stdin, options.stdin);
  const ending = await supervise(running, options);
  return { stdout: await stdout, stderr: await stderr, ...ending };
}

/** A command whose input and output are the caller's; its outcome holds the end of standard error and no output. */
export function streaming(running: Running, limits: Limits): RemoteProcess {
  const stderr = textOf(running.stderr, errorTail);
  running.stdin.on("error", ignore);
  const outcome = supervise(running, limits).then(async (ending) => ({
    stdout: "",
    stderr: await stderr,
    ...ending,
  }));
  return { stdin: running.stdin, stdout: running.stdout, outcome };
}

/** The outcome of a command that could not even be started. */
export function neverRan(reason: string): Outcome {
  return { kind: "lost", reason, stdout: "", stderr: "" };
}

/** Why a command may not go on, as text; undefined when it may. */
export function abortedBy(signal: AbortSignal | undefined): string | undefined {
  return signal?.aborted ? "aborted" : undefined;
}

async function supervise(running: Running, limits: Limits): Promise<Ending> {
  let cut: string | undefined;
  const stop = (reason: string): void => {
    cut ??= reason;
    end(running);
  };
  const release = whenOver(limits, stop);
  const ending = await running.ended;
  release();
  return cut === undefined ? ending : { kind: "lost", reason: cut };
}

function whenOver(limits: Limits, stop: (reason: string) => void): () => void {
  const onAbort = (): void => stop("aborted");
  if (limits.signal?.aborted) onAbort();
  limits.signal?.addEventListener("abort", onAbort, { once: true });
  // An input that breaks off must not look like one that ended: the command would take half of it for all.
  if (limits.stdin instanceof Readable)
    limits.stdin.on("error", (thrown) => stop(`its input failed: ${thrown.message}`));
  const { timeout } = limits;
  const timer =
    timeout === undefined ? undefined : setTimeout(() => stop(`not finished within ${timeout} ms`), timeout);
  return () => {
    clearTimeout(timer);
    limits.signal?.removeEventListener("abort", onAbort);
  };
}

function end(running: Running): void {
  running.kill("TERM");
  const hard = setTimeout(() => running.kill("KILL"), grace);
  const last = setTimeout(() => running.abandon(), 2 * grace);
  void running.ended.then(() => {
    clearTimeout(hard);
    clearTimeout(last);
  });
}

/** Everything a stream says until it ends, fails or is destroyed; with a limit, the last bytes of it. */
function textOf(stream: Readable, limit = Infinity): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (chunks[0] && size - chunks[0].length >= limit) size -= (chunks.shift() as Buffer).length;
  });
  return new Promise((resolve) => {
    finished(stream, { writable: false }, () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

function feed(stdin: Writable, input: ExecOptions["stdin"]): void {
  // A command that ends without reading its input is no failure of its own.
  stdin.on("error", ignore);
  if (input === undefined) stdin.end();
  else if (typeof input === "string" || Buffer.isBuffer(input)) stdin.end(input);
  else {
    stdin.on("close", () => input.unpipe(stdin));
    input.pipe(stdin);
  }
}

function ignore(): void {
  return;
}
