/** What both halves of the hand-over have in common: a machine that journals, a directory, an end. */
import { join } from "node:path";
import { messageOf } from "../../errors.js";
import { orAfter } from "../../wait.js";
import {
  MigrationView,
  type DestinationStateName,
  type Failure,
  type OpenMigration,
  type SourceStateName,
} from "../api.js";
import { makeDirectory } from "../at-once.js";
import { readIfThere, removeDurably, replaceDurably } from "../durable.js";
import type { Engine } from "../engine.js";
import type { Log } from "../log.js";
import type { OwnershipStore } from "../ownership.js";
import { migrationDirectory, openFile, type DaemonPaths } from "../paths.js";
import type { PageLists } from "../page-lists.js";
import type { Processes } from "../processes.js";
import type { Service } from "../service.js";
import { decide, prepareVerdict, readVerdict, type Verdict } from "../verdict.js";
import type { Journal } from "./journal.js";
import { Machine } from "./machine.js";
import { MigrationRecord } from "./record.js";
import type { Row } from "./table.js";

/** What a run of CRIU needs, whoever it is for. */
export interface RunDeps {
  paths: DaemonPaths;
  engine: Engine;
  processes: Processes;
  service: Service;
  life: string;
  log: Log;
}

export interface HandOverDeps extends RunDeps {
  journal: Journal;
  pageLists: PageLists;
  ownership: OwnershipStore;
  /** Ends this daemon: the next one goes on from the journal. */
  giveUp(): void;
  /** The migration is over: open.json is gone. */
  closed(id: string): void;
}

export abstract class Half<
  S extends SourceStateName | DestinationStateName,
  E extends string,
  A extends string,
> {
  readonly record: MigrationRecord;
  protected readonly machine: Machine<S, E, A>;
  protected readonly deps: HandOverDeps;
  /** Verdict, lease, CRIU's log and statistics; belongs to the service's user while CRIU works. */
  protected readonly directory: string;

  constructor(deps: HandOverDeps, open: OpenMigration, table: readonly Row<S, E, A>[], state: S) {
    this.deps = deps;
    this.record = new MigrationRecord(open);
    this.directory = migrationDirectory(deps.paths, open.id);
    this.machine = new Machine<S, E, A>({
      table,
      state,
      enter: (entered, event) => this.#enter(entered, event),
      actions: this.actions(),
      failed: (action, thrown) => this.#actionFailed(action, thrown),
    });
  }

  protected abstract actions(): Record<A, () => Promise<void>>;
  /** Runs after the state is on disk and before its actions. */
  protected abstract entered(state: S): void;

  get open(): OpenMigration {
    return this.record.open;
  }

  get state(): S {
    return this.machine.state;
  }

  view(): MigrationView {
    return this.record.view(this.machine.state);
  }

  /** As soon as nothing is under way, or after `within` milliseconds. */
  async viewAtRest(within: number): Promise<MigrationView> {
    if (within > 0) await orAfter(within, (over) => this.atRest(over));
    return this.view();
  }

  /** Resolves when nothing is under way; may reject when the signal aborts. */
  protected abstract atRest(signal: AbortSignal): Promise<unknown>;

  async #enter(state: S, event: E): Promise<void> {
    const { id, epoch, role } = this.open;
    const { life } = this.deps;
    const { failure, proof } = this.record;
    const at = new Date().toISOString();
    await this.deps.journal.append({ at, id, epoch, role, event, state, life, failure, proof });
    this.deps.log.info("hand-over", { id, role, event, state });
    this.entered(state);
  }

  /** A broken disk or a bug: the state stands, and the next daemon's `restarted` does the action again. */
  #actionFailed(action: A, thrown: unknown): void {
    this.record.fail(failureOf(action, thrown));
    this.deps.log.error("an action failed", { action, message: messageOf(thrown) });
    this.deps.giveUp();
  }

  protected makeDirectory(): Promise<void> {
    return makeDirectory(this.directory);
  }

  /** What `decide` would have to flush first. */
  protected async prepareVerdict(verdict: Verdict): Promise<void> {
    await this.makeDirectory();
    await prepareVerdict(this.directory, verdict);
  }

  /** Creates the verdict unless one stands; answers the one that stands. */
  protected async decide(verdict: Verdict): Promise<Verdict> {
    await this.makeDirectory();
    this.record.verdict = await decide(this.directory, verdict);
    return this.record.verdict;
  }

  protected async loadVerdict(): Promise<void> {
    this.record.verdict = await readVerdict(this.directory);
  }

  /** Removes what only an open migration needs. Done again after a crash. */
  protected abstract cleanUp(): Promise<void>;

  #closing: Promise<void> = Promise.resolve();

  /** Resolves when what `close` began is done. */
  protected closed(): Promise<void> {
    return this.#closing;
  }

  protected close(): Promise<void> {
    this.#closing = this.#close();
    return this.#closing;
  }

  /** The view is kept for whoever asks later; the lock goes last. */
  async #close(): Promise<void> {
    await this.cleanUp();
    await this.makeDirectory();
    await replaceDurably(viewFile(this.directory), JSON.stringify(this.view()));
    await removeDurably(openFile(this.deps.paths));
    this.deps.closed(this.open.id);
  }
}

const viewFile = (directory: string): string => join(directory, "view.json");

/** How a migration that is over ended, or undefined where this node never knew it. */
export async function closedView(paths: DaemonPaths, id: string): Promise<MigrationView | undefined> {
  const text = await readIfThere(viewFile(migrationDirectory(paths, id)));
  return text === undefined ? undefined : MigrationView.parse(JSON.parse(text));
}

/** Carries why something failed, as a user is told. */
export class Failed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = "Failed";
    this.failure = failure;
  }
}

/** What is there by now; throws where it is not. */
export function given<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw new Error(otherwise);
  return value;
}

/** What somebody wants to keep, though there is nothing to keep. */
export const lost = (): Error => new Error("the checkpoint images are gone: nothing is left to restore");

export function failureOf(step: string, thrown: unknown): Failure {
  if (thrown instanceof Failed) return thrown.failure;
  return { step, message: messageOf(thrown), log: [], hint: null };
}
