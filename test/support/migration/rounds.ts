import type { Round } from "../../../src/daemon/api.js";
import { pageSize } from "../../../src/migration/precopy/model.js";

/** Megabytes of a round (10^6), and milliseconds. */
interface Made {
  written: number;
  of?: number;
  totalMs: number;
  /** Absent: a full round. */
  sinceParentMs?: number;
  frozenMs?: number;
  mapBytes?: number;
  answerMs?: number;
}

/** A failed round. */
export const lost = "failed";

/** Rounds as a source's daemon tells them, numbered from `first`; each builds on the good one before it. */
export function series(made: readonly (Made | typeof lost)[], first = 1): Round[] {
  const rounds: Round[] = [];
  for (const [at, one] of made.entries()) {
    const before = rounds.at(-1);
    rounds.push(one === lost ? failed(first + at) : good(first + at, one, before));
  }
  return rounds;
}

function good(number: number, made: Made, before: Round | undefined): Round {
  const { written, of = 300, totalMs, sinceParentMs, frozenMs = 10, mapBytes = 0, answerMs = 0 } = made;
  const pages = (megabytes: number): number => Math.round((megabytes * 1e6) / pageSize);
  return {
    ...failed(number),
    state: "done",
    failure: null,
    parent: sinceParentMs === undefined ? null : (before?.number ?? null),
    pages: { scanned: pages(of), skipped: pages(of) - pages(written), written: pages(written) },
    bytes: written * 1e6,
    shipped: written * 1e6,
    mapBytes,
    answerMs,
    sinceParentMs: sinceParentMs ?? null,
    frozenMs,
    dumpMs: totalMs / 2,
    totalMs,
  };
}

function failed(number: number): Round {
  return {
    number,
    parent: null,
    state: "failed",
    pages: null,
    bytes: 0,
    shipped: 0,
    mapBytes: 0,
    answerMs: null,
    startedAt: "2026-01-01T00:00:00.000Z",
    sinceParentMs: null,
    frozenMs: null,
    dumpMs: null,
    totalMs: null,
    failure: { step: "transfer", message: "the link is gone", log: [], hint: null },
  };
}
