/** One write that a client was told is done. */
export interface Acknowledged {
  /** The client's number for it, from 1; a write that got no answer is tried again under the same number. */
  seq: number;
  /** The service's counter after it: the same memory answers only with greater ones. */
  n: number;
  /** When the answer came, milliseconds of CLOCK_MONOTONIC. */
  at: number;
  /** `host:port` that answered. */
  address: string;
}

export interface Gap {
  /** Milliseconds from one answer to the next. */
  length: number;
  before: Acknowledged;
  after: Acknowledged;
}

/** A stretch of answers from one address. */
export interface Stretch {
  address: string;
  first: Acknowledged;
  last: Acknowledged;
  writes: number;
}

/** Reads the lines that a writer appends; a last line without its end was never acknowledged. */
export function parseLedger(text: string): Acknowledged[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Acknowledged);
}

/** The longest time without an answer; undefined before the second one. */
export function longestGap(ledger: readonly Acknowledged[]): Gap | undefined {
  return pairs(ledger)
    .map(([before, after]) => ({ length: after.at - before.at, before, after }))
    .reduce<Gap | undefined>(
      (longest, gap) => (longest === undefined || gap.length > longest.length ? gap : longest),
      undefined,
    );
}

/** Who answered, in order. */
export function stretches(ledger: readonly Acknowledged[]): Stretch[] {
  const found: Stretch[] = [];
  for (const entry of ledger) {
    const open = found.at(-1);
    if (open?.address === entry.address) Object.assign(open, { last: entry, writes: open.writes + 1 });
    else found.push({ address: entry.address, first: entry, last: entry, writes: 1 });
  }
  return found;
}

/** What would prove that two copies answered, or one with an old memory: a counter that did not rise. */
export function contradictions(ledger: readonly Acknowledged[]): string[] {
  return pairs(ledger)
    .filter(([before, after]) => after.n <= before.n)
    .map(([before, after]) => `${before.address} counted ${before.n}, then ${after.address} ${after.n}`);
}

function pairs<T>(list: readonly T[]): [T, T][] {
  return list.slice(1).map((after, at) => [list[at] as T, after]);
}
