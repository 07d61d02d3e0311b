import { transition, type Row } from "./table.js";

export interface MachineOptions<S, E, A extends string> {
  table: readonly Row<S, E, A>[];
  state: S;
  /** Flushes the entered state to the journal; the row's actions start only after it resolved. */
  enter(state: S, event: E): Promise<void>;
  actions: Record<A, () => Promise<void>>;
  /** An action threw: a bug or a broken disk. The state stands; a restart of the daemon tries again. */
  failed(action: A, thrown: unknown): void;
}

/** Executes a transition table: one event at a time, journal before deed. */
export class Machine<S extends string, E extends string, A extends string> {
  #state: S;
  #queue: Promise<void> = Promise.resolve();
  #watchers = new Set<() => void>();
  readonly #options: MachineOptions<S, E, A>;

  constructor(options: MachineOptions<S, E, A>) {
    this.#options = options;
    this.#state = options.state;
  }

  get state(): S {
    return this.#state;
  }

  /** Resolves when the event was dealt with: true when a row applied (its actions may still be under way). */
  send(event: E): Promise<boolean> {
    const done = this.#queue.then(() => this.#take(event));
    this.#queue = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #take(event: E): Promise<boolean> {
    const row = transition(this.#options.table, this.#state, event);
    if (row === undefined) return false;
    await this.#options.enter(row.to, event);
    this.#state = row.to;
    for (const watcher of [...this.#watchers]) watcher();
    for (const action of row.do) this.#start(action);
    return true;
  }

  #start(action: A): void {
    this.#options.actions[action]().catch((thrown: unknown) => this.#options.failed(action, thrown));
  }

  /** Resolves once the state is one of `states`. */
  reached(states: readonly S[], signal?: AbortSignal): Promise<S> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!states.includes(this.#state)) return;
        this.#watchers.delete(look);
        resolve(this.#state);
      };
      this.#watchers.add(look);
      signal?.addEventListener("abort", () => {
        this.#watchers.delete(look);
        reject(signal.reason as Error);
      });
      look();
    });
  }
}
