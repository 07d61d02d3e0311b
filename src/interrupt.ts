import { exitCodes, FastmigError, type ExitCode } from "./errors.js";

export interface InterruptOptions {
  /** What is left behind when the second signal ends the process at once, one line each. */
  left: () => readonly string[];
  write: (line: string) => void;
  exit: (code: ExitCode) => void;
}

/** The part of `process` that signals need. */
export interface SignalSource {
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

const signals = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/**
 * The first SIGINT or SIGTERM aborts the signal with a FastmigError of exit 130 or 143 as its reason;
 * the second one says what is left and exits at once.
 */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners = { SIGINT: () => this.#hear("SIGINT"), SIGTERM: () => this.#hear("SIGTERM") };

  constructor(
    private readonly source: SignalSource,
    private readonly options: InterruptOptions,
  ) {
    source.on("SIGINT", this.#listeners.SIGINT);
    source.on("SIGTERM", this.#listeners.SIGTERM);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.source.off("SIGINT", this.#listeners.SIGINT);
    this.source.off("SIGTERM", this.#listeners.SIGTERM);
  }

  #hear(name: keyof typeof signals): void {
    if (this.signal.aborted) return this.#leave(name);
    this.options.write(`${name}: stopping at the next safe point; once more to stop at once`);
    this.#controller.abort(interrupted(name));
  }

  #leave(name: keyof typeof signals): void {
    this.options.write(`${name} again: stopped at once`);
    for (const line of this.options.left()) this.options.write(`  ${line}`);
    this.options.exit(signals[name]);
  }
}

function interrupted(name: keyof typeof signals): FastmigError {
  return new FastmigError(`interrupted by ${name}`, { code: "INTERRUPTED", exit: signals[name] });
}
