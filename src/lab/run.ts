import { execa, type ResultPromise } from "execa";
import { commandLine, type Argv } from "../argv.js";
import { FastmigError, exitCodes } from "../errors.js";
import { searchPath } from "./requirements.js";

const PATH = searchPath.join(":");

export interface RunOptions {
  input?: string;
  /** A file whose content is the input. */
  inputFile?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** Milliseconds. */
  timeout?: number;
}

/** Standard output of a command of this machine; a command that fails is a FastmigError with the tail of what it said. */
export async function run(argv: Argv, options: RunOptions = {}): Promise<string> {
  const result = await attempt(argv, options);
  if (result.ok) return result.stdout;
  throw commandFailed(argv, result.how, result.said);
}

export type Attempt = { ok: true; stdout: string } | { ok: false; how: string; said: string };

/** As `run`, for commands whose failure is an answer. */
export async function attempt(argv: Argv, options: RunOptions = {}): Promise<Attempt> {
  const [file, ...args] = words(argv);
  const { input = "", inputFile, env, ...rest } = options;
  const source = inputFile === undefined ? { input } : { inputFile };
  const result = await execa(file, args, {
    ...rest,
    ...source,
    env: { ...env, PATH },
    reject: false,
    maxBuffer: 64 << 20,
  });
  if (!result.failed) return { ok: true, stdout: result.stdout };
  const how =
    result.exitCode === undefined
      ? (result.shortMessage ?? "it did not start")
      : `exit code ${result.exitCode}`;
  return { ok: false, how, said: `${result.stdout}\n${result.stderr}`.trim() };
}

/** Starts a command whose streams the caller uses. It rejects when the command fails. */
export function start(argv: Argv): ResultPromise<{ stdin: "pipe" }> {
  const [file, ...args] = words(argv);
  return execa(file, args, { stdin: "pipe", env: { PATH } });
}

export function commandFailed(argv: Argv, how: string, said: string): FastmigError {
  return new FastmigError(`the lab could not run \`${commandLine(argv)}\`: ${how}`, {
    code: "LAB_COMMAND",
    exit: exitCodes.preflight,
    details: said.split("\n").slice(-20),
  });
}

/** An argv as execa wants it. */
export function words(argv: Argv): [string, ...string[]] {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error("an empty command");
  return [file, ...args];
}

/** Ends with us, however we end, and takes its children and mounts along. */
export const confined = (argv: Argv): Argv => [
  ...[
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ],
  ...argv,
];
