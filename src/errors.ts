/** Exit codes of every command; the public table stands in docs/exit-codes.md and DESIGN section 7. */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  preflight: 3,
  unreachable: 4,
  rolledBack: 5,
  inDoubt: 6,
  locked: 7,
  budgetMissed: 8,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export interface ErrorParts {
  /** Stable, upper-case, for scripts: `HOST_KEY_CHANGED`. */
  code: string;
  exit: ExitCode;
  /** What to do next, one sentence or command per entry. */
  hint?: string | readonly string[];
  /** More lines that belong to the error: a log's tail, a list of problems. */
  details?: readonly string[];
  cause?: unknown;
}

/** An error that a user can meet. Anything else that reaches the top is a bug and is reported as one. */
export class FastmigError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly hint: readonly string[];
  readonly details: readonly string[];

  constructor(message: string, parts: ErrorParts) {
    super(message, { cause: parts.cause });
    this.name = "FastmigError";
    this.code = parts.code;
    this.exit = parts.exit;
    this.hint = parts.hint === undefined ? [] : typeof parts.hint === "string" ? [parts.hint] : parts.hint;
    this.details = parts.details ?? [];
  }
}

export function assertNever(value: never): never {
  throw new Error(`a case nobody thought of: ${JSON.stringify(value)}`);
}

/** The text of anything that was thrown; an error of another realm (a worker's, a test runner's) is one too. */
export function messageOf(thrown: unknown): string {
  return Error.isError(thrown) ? thrown.message : String(thrown);
}
