import type { ExitEvent, InitClient, InitHandlers, ProcessEnd, SpawnRequest } from "./init-client.js";
import { isDead, readStat, type ProcessId } from "./procfs.js";

export interface Tracked extends ProcessId {
  /** How it ended; null where it was gone before anybody could learn how. */
  ended: Promise<ProcessEnd | null>;
}

const key = (process: ProcessId): string => `${process.pid}/${process.startTicks}`;

/** Every process that init starts or adopts for us, and how each ended: they outlive the daemon, so init spawns them. */
export class Processes {
  readonly init: InitClient;
  readonly #ends = new Map<string, ProcessEnd>();
  readonly #waiting = new Map<string, (end: ProcessEnd) => void>();

  constructor(connect: (handlers: Pick<InitHandlers, "exited">) => InitClient) {
    this.init = connect({ exited: (event) => this.#exited(event) });
  }

  #exited(event: ExitEvent): void {
    this.#ends.set(key(event), event.end);
    this.#waiting.get(key(event))?.(event.end);
    this.#waiting.delete(key(event));
  }

  async spawn(request: SpawnRequest): Promise<Tracked> {
    const pid = await this.init.spawn(request);
    const stat = await readStat(pid);
    return this.track(stat ?? { pid, startTicks: this.#startOf(pid) });
  }

  /** It ended before its stat could be read: then init has told its start. */
  #startOf(pid: number): number {
    const known = [...this.#ends.keys()].findLast((name) => name.startsWith(`${pid}/`));
    return Number(known?.split("/")[1] ?? 0);
  }

  track(process: ProcessId): Tracked {
    return { pid: process.pid, startTicks: process.startTicks, ended: this.#endOf(process) };
  }

  async #endOf(process: ProcessId): Promise<ProcessEnd | null> {
    const known = this.#ends.get(key(process));
    if (known !== undefined) return known;
    const told = new Promise<ProcessEnd>((resolve) => this.#waiting.set(key(process), resolve));
    // Its exit may have been told to a daemon of before.
    if (await isDead(process)) return Promise.race([told, soon(null)]);
    return told;
  }
}

/** Time enough for init to tell again what it kept. */
function soon<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 200).unref());
}

export function describeEnd(end: ProcessEnd | null): string {
  if (end === null) return "ended, nobody saw how";
  return end.kind === "exited" ? `exited with ${end.code}` : `was killed by signal ${end.signal}`;
}
