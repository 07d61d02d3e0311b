/** What is said of a checkpoint or a restore, and what is written down of it for a later daemon. */
import { join } from "node:path";
import * as z from "zod/mini";
import { FastmigError, messageOf } from "../../errors.js";
import { stopwatch } from "../../stopwatch.js";
import { type ImageWork, ServiceSpec } from "../api.js";
import { readIfThere, removeDurably, replaceDurably } from "../durable.js";
import { Failed } from "../handover/half.js";
import type { DaemonPaths } from "../paths.js";

export type Phase =
  | "preparing"
  | "frozen"
  | "publishing"
  | "ending"
  | "checking"
  | "fetching"
  | "restoring"
  | "resuming"
  | "recovering";

export class WorkRecord {
  readonly #view: ImageWork;
  readonly #since = stopwatch();
  #frozen: (() => number) | undefined;
  readonly #over = Promise.withResolvers<void>();
  readonly #aborted = Promise.withResolvers<never>();
  readonly #abort = new AbortController();

  constructor({ id, verb, url }: Pick<ImageWork, "id" | "verb" | "url">) {
    this.#view = {
      ...{ id, verb, url, state: "working", phase: "preparing", startedAt: new Date().toISOString() },
      ...{ bytes: 0, stored: 0, frozenMs: null, totalMs: null, failure: null },
    };
    this.#aborted.promise.catch(() => undefined);
  }

  get view(): ImageWork {
    return { ...this.#view };
  }

  /** Resolves when it is over; never rejects. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Rejects when somebody asks to give it up; never resolves. Heeded as long as it can be. */
  get aborted(): Promise<never> {
    return this.#aborted.promise;
  }

  /** The same, for whoever takes a signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(): void {
    const why = new Error("given up on request");
    this.#abort.abort(why);
    this.#aborted.reject(why);
  }

  enter(phase: Phase): void {
    this.#view.phase = phase;
  }

  note(figures: Partial<Pick<ImageWork, "url" | "bytes" | "stored">>): void {
    Object.assign(this.#view, figures);
  }

  /** From now on the service stands still. */
  froze(): void {
    this.#frozen = stopwatch();
  }

  /** It goes on, or has ended. Said again, it means nothing. */
  thawed(): void {
    if (this.#frozen !== undefined) this.#view.frozenMs = Math.round(this.#frozen());
    this.#frozen = undefined;
  }

  end(failed?: { thrown: unknown }): void {
    Object.assign(this.#view, {
      state: failed === undefined ? "done" : "failed",
      totalMs: Math.round(this.#since()),
      failure: failed === undefined ? null : failureOf(this.#view.phase, failed.thrown),
    });
    this.#over.resolve();
  }
}

function failureOf(step: string, thrown: unknown): ImageWork["failure"] {
  if (thrown instanceof Failed)
    return { ...thrown.failure, code: thrown.failure.step === "lease" ? "LEASE" : "CRIU" };
  const plain = { step, message: messageOf(thrown), log: [], hint: null };
  if (!(thrown instanceof FastmigError)) return { ...plain, code: "FAILED" };
  return { ...plain, code: thrown.code, log: [...thrown.details], hint: thrown.hint[0] ?? null };
}

/** Enough for a daemon that comes after this one's death to bring it to an end. */
const Remembered = z.discriminatedUnion("verb", [
  z.strictObject({ verb: z.literal("checkpoint"), id: z.string(), url: z.string(), shards: z.int() }),
  z.strictObject({
    verb: z.literal("restore"),
    id: z.string(),
    url: z.string(),
    epoch: z.int(),
    service: ServiceSpec,
    rootPid: z.int(),
  }),
]);
export type Remembered = z.infer<typeof Remembered>;

const file = (paths: DaemonPaths): string => join(paths.state, "image-work.json");

export async function remember(paths: DaemonPaths, work: Remembered): Promise<void> {
  await replaceDurably(file(paths), JSON.stringify(work));
}

export async function recall(paths: DaemonPaths): Promise<Remembered | undefined> {
  const text = await readIfThere(file(paths));
  return text === undefined ? undefined : Remembered.parse(JSON.parse(text));
}

export async function forget(paths: DaemonPaths): Promise<void> {
  await removeDurably(file(paths));
}
