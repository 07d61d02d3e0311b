/**
 * Where CRIU may live without taking a PID of the image: a service's begin at 1000 and, once the kernel has
 * wrapped around, at 300.
 */
const [first, last] = [200, 299];

/** Whether a run of CRIU began the session: init starts each in one of its own. */
export const isCriuSession = (session: number): boolean => session >= first && session <= last;

/** PIDs for CRIU's runs, one after the other. */
export class CriuPids {
  #newest = last;

  /**
   * The next free one. Never the one that the run before had: PID and start, in ticks of 10 ms, name a process, and of two
   * runs in one tick the second would be taken for the first, which has ended.
   */
  async next(isTaken: (pid: number) => Promise<boolean>): Promise<number> {
    for (let tried = first; tried <= last; tried += 1) {
      this.#newest = this.#newest === last ? first : this.#newest + 1;
      if (!(await isTaken(this.#newest))) return this.#newest;
    }
    throw new Error(`every PID from ${first} to ${last} is taken in this container`);
  }
}
