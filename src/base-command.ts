import { styleText } from "node:util";
import { Command, Errors, type Interfaces } from "@oclif/core";
import { FastmigError } from "./errors.js";
import { type Failure, failureLines, failureOf } from "./failure.js";
import { Interrupt } from "./interrupt.js";

/** Raised when a key of a `--json` result changes its meaning or goes away; new keys do not raise it. */
export const schemaVersion = 1;

type Values = Record<string, unknown>;

/**
 * What all commands share: `--json`, how errors are printed, signals.
 * A command returns its result as an object; with `--json` stdout is that object and nothing else.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;
  #interrupt: Interrupt | undefined;

  /** Aborted by the first SIGINT (reason: exit 130) or SIGTERM (143). Unused, the signals end the process as usual. */
  protected get interrupt(): AbortSignal {
    this.#interrupt ??= new Interrupt(process, {
      left: () => this.whatIsLeft(),
      write: (line) => process.stderr.write(`${line}\n`),
      exit: (code) => process.exit(code),
    });
    return this.#interrupt.signal;
  }

  /** Said when a second signal ends the process at once, one line each. A command that leaves things behind overrides it. */
  protected whatIsLeft(): readonly string[] {
    return [];
  }

  /** A missing argument is never read from stdin: under cron and CI that would wait or swallow data. */
  protected override parse<F extends Values, B extends Values, A extends Values>(
    options?: Interfaces.Input<F, B, A>,
    argv = this.argv,
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const given = options ?? (this.ctor as Interfaces.Input<F, B, A>);
    const { flags, baseFlags, enableJsonFlag, args } = given; // inherited statics, which a spread leaves out
    return super.parse({ ...given, flags, baseFlags, enableJsonFlag, args: withoutStdin(args) }, argv);
  }

  protected override catch(thrown: Error): Promise<never> {
    const failure = this.failureOf(thrown);
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(failure));
    else printFailure(failure);
    throw new Errors.ExitError(failure.exit);
  }

  /** For a failure that does not end the command. */
  protected complain(thrown: unknown): void {
    printFailure(this.failureOf(thrown));
  }

  private failureOf(thrown: unknown): Failure {
    return failureOf(this.reasonOf(thrown), {
      userAgent: this.config.userAgent,
      help: [this.config.bin, ...(this.id ?? "").split(":"), "--help"].join(" "),
      bugs: bugsUrl(this.config.pjson.bugs),
    });
  }

  /** What a library throws when our signal aborts it is the interruption, not a bug. */
  private reasonOf(thrown: unknown): unknown {
    const signal = this.#interrupt?.signal;
    return signal?.aborted && !(thrown instanceof FastmigError) ? signal.reason : thrown;
  }

  protected override async finally(thrown: Error | undefined): Promise<void> {
    this.#interrupt?.[Symbol.dispose]();
    await super.finally(thrown);
  }

  protected override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  }

  protected override toSuccessJson(result: object): object {
    return { schemaVersion, ...result };
  }

  protected override toErrorJson(error: Failure): object {
    return { schemaVersion, error };
  }
}

function withoutStdin<A extends Values>(args: Interfaces.ArgInput<A> | undefined): Interfaces.ArgInput<A> {
  const entries = Object.entries(args ?? {}) as [string, object][];
  return Object.fromEntries(
    entries.map(([name, arg]) => [name, { ...arg, ignoreStdin: true }]),
  ) as Interfaces.ArgInput<A>;
}

function printFailure(failure: Failure): void {
  const [first = "", ...others] = failureLines(failure);
  const head = styleText("red", first, { stream: process.stderr });
  process.stderr.write(`${[head, ...others].join("\n")}\n`);
}

function bugsUrl(bugs: unknown): string {
  if (typeof bugs === "string") return bugs;
  const { url } = (bugs ?? {}) as { url?: string };
  return url ?? "the project's issue tracker";
}
