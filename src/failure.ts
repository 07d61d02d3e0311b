import { exitCodes, FastmigError, type ExitCode, messageOf } from "./errors.js";

/** What a failed command says, in the shape that `--json` prints under `error`. */
export interface Failure {
  code: string;
  message: string;
  hint: readonly string[];
  details: readonly string[];
  exit: ExitCode;
}

export interface FailureContext {
  /** The program and its version, for the report of a bug: `fastmig/0.1.0 linux-x64 node-v24.0.0`. */
  userAgent: string;
  /** The command line that shows help for what was tried: `fastmig migrate --help`. */
  help: string;
  /** Where bugs are reported, a URL. */
  bugs: string;
}

/** Every thrown thing is one of three: an error that a user can meet, a wrong command line, or a bug. */
export function failureOf(thrown: unknown, context: FailureContext): Failure {
  if (thrown instanceof FastmigError) return expected(thrown);
  if (isUsageError(thrown)) return usage(thrown, context);
  return bug(thrown, context);
}

/** The lines for stderr: the message, its details indented, what to do next. */
export function failureLines(failure: Failure): string[] {
  return [
    `Error: ${failure.message}`,
    ...failure.details.flatMap((detail) => detail.split("\n")).map((line) => `  ${line}`.trimEnd()),
    ...failure.hint.map((line) => `→ ${line}`),
  ];
}

function expected({ code, message, hint, details, exit }: FastmigError): Failure {
  return { code, message, hint, details, exit };
}

function usage(error: Error, context: FailureContext): Failure {
  const [message = "", ...details] = error.message
    .split("\n")
    .filter((line) => line.trim() !== "" && line !== "See more help with --help");
  const code = usageCodes[error.constructor.name] ?? "USAGE";
  return { code, message: message.replace(/:$/, ""), details, hint: [context.help], exit: exitCodes.usage };
}

const usageCodes: Record<string, string> = {
  NonExistentFlagsError: "UNKNOWN_FLAG",
  RequiredArgsError: "MISSING_ARGUMENT",
  UnexpectedArgsError: "UNEXPECTED_ARGUMENT",
};

/** oclif marks the errors of its parser with the exit code that it would use. */
function isUsageError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "oclif" in thrown;
}

function bug(thrown: unknown, context: FailureContext): Failure {
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  return {
    code: "UNEXPECTED",
    message: `unexpected: ${messageOf(thrown)}`,
    details: [
      ...stack
        .split("\n")
        .slice(1)
        .map((line) => line.trim()),
      context.userAgent,
    ],
    hint: [`this is a bug; please report it with the lines above: ${context.bugs}`],
    exit: exitCodes.bug,
  };
}
