import { pause } from "../../wait.js";
import type { Acknowledged } from "./ledger.js";

/** One write and its answer: the service's counter. Throws where none came before the signal; a WrongAnswer is final. */
export type Attempt = (seq: number, address: string, signal: AbortSignal) => Promise<number>;

export interface WriterOptions {
  /** `host:port` of every place where the service may be; asked in turn when one does not answer. */
  addresses: readonly string[];
  attempt: Attempt;
  acknowledge: (entry: Acknowledged) => void;
  pace?: Pace;
  signal: AbortSignal;
}

/** Milliseconds. */
export interface Pace {
  /** Longer without an answer, and the next address is tried. */
  patience: number;
  pauseAfterAnswer: number;
}

const quick: Pace = { patience: 60, pauseAfterAnswer: 1 };
/** For nodes whose processor is emulated: 26 answers a second, as often as every 25 ms allows, took a quarter of it. */
export const gentle: Pace = { patience: 100, pauseAfterAnswer: 200 };

/** The service answered, but not with what it was given: it does not have its memory. */
export class WrongAnswer extends Error {}

/** Milliseconds. */
const pauseAfterFailure = 2;

/** Writes one after the other until the signal; each one as often as it takes to get an answer. */
export async function keepWriting(options: WriterOptions): Promise<void> {
  const { signal } = options;
  let turn = 0;
  for (let seq = 1; !signal.aborted; seq += 1) {
    while (!signal.aborted && !(await once(options, seq, turn))) {
      turn += 1;
      await pause(pauseAfterFailure);
    }
    await pause((options.pace ?? quick).pauseAfterAnswer);
  }
}

async function once(options: WriterOptions, seq: number, turn: number): Promise<boolean> {
  const address = options.addresses[turn % options.addresses.length] as string;
  try {
    const n = await options.attempt(seq, address, AbortSignal.timeout((options.pace ?? quick).patience));
    options.acknowledge({ seq, n, at: monotonic(), address });
    return true;
  } catch (thrown) {
    if (thrown instanceof WrongAnswer) throw thrown;
    // No answer is what this client is made for: it asks the next address.
    return false;
  }
}

/** CLOCK_MONOTONIC in milliseconds: one clock for everything on a machine, the lab's nodes included. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
