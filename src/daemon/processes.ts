import {
  InitRefusal,
  type ExitEvent,
  type InitClient,
  type InitHandlers,
  type ProcessEnd,
  type SpawnRequest,
} from "./init-client.js";
import { isDead, readStat, type ProcessId } from "./procfs.js";

export interface Tracked extends ProcessId {
  /** How it ended; null where it was gone before anybody could learn how. */
  ended: Promise<ProcessEnd | null>;
}

/** Ends that nobody asked for yet are kept for those who may; the oldest go first. */
const mostEnds = 1024;

const key = (process: ProcessId): string => `${process.pid}/${process.startTicks}`;

/** Every process that init starts or adopts for us, and how each ended: they outlive the daemon, so init spawns them. */
export class Processes {
  readonly init: InitClient;
  readonly #ends = new Map<string, ProcessEnd>();
  /** One promise for each process, whoever asks and how often. */
  readonly #told = new Map<string, PromiseWithResolvers<ProcessEnd | null> & { process: ProcessId }>();

  constructor(connect: (handlers: Pick<InitHandlers, "exited" | "missed">) => InitClient) {
    this.init = connect({ exited: (event) => this.#exited(event), missed: () => void this.#look() });
  }

  #exited(event: ExitEvent): void {
    this.#ends.set(key(event), event.end);
    this.#told.get(key(event))?.resolve(event.end);
    this.#told.delete(key(event));
    const oldest = this.#ends.keys().next();
    if (this.#ends.size > mostEnds && oldest.done !== true) this.#ends.delete(oldest.value);
  }

  /** Init had no room for some exits: whoever is gone ended unseen. */
  async #look(): Promise<void> {
    for (const [name, { process, resolve }] of this.#told) {
      if (!(await isDead(process))) continue;
      resolve(null);
      this.#told.delete(name);
    }
  }

  /** A process that is gone already is as good as killed. */
  async kill(pid: number, signal: number): Promise<void> {
    try {
      await this.init.kill(pid, signal);
    } catch (thrown) {
      if (!(thrown instanceof InitRefusal) || (await readStat(pid)) !== undefined) throw thrown;
    }
  }

  async spawn(request: SpawnRequest): Promise<Tracked> {
    return this.track(await this.init.spawn(request));
  }

  track(process: ProcessId): Tracked {
    return { pid: process.pid, startTicks: process.startTicks, ended: this.#endOf(process) };
  }

  async #endOf(process: ProcessId): Promise<ProcessEnd | null> {
    const known = this.#ends.get(key(process));
    if (known !== undefined) return known;
    const told = this.#told.get(key(process)) ?? { ...Promise.withResolvers<ProcessEnd | null>(), process };
    this.#told.set(key(process), told);
    // Its exit may have been told to a daemon of before.
    if (await isDead(process)) return Promise.race([told.promise, this.#untold()]);
    return told.promise;
  }

  /** Init reaps and tells at the beginning of a turn, and answers in it: by its second answer all has been told. */
  async #untold(): Promise<null> {
    await this.init.list();
    await this.init.list();
    return null;
  }
}

export function succeeded(end: ProcessEnd | null): boolean {
  return end?.kind === "exited" && end.code === 0;
}

export function describeEnd(end: ProcessEnd | null): string {
  if (end === null) return "ended, nobody saw how";
  return end.kind === "exited" ? `exited with ${end.code}` : `was killed by signal ${end.signal}`;
}
