import { formatDuration } from "../../units.js";
import { type Acknowledged, longestGap, stretches } from "./ledger.js";

/** What a client saw, as text: who answered when, and the longest time without an answer. */
export function timelineLines(ledger: readonly Acknowledged[], names: ReadonlyMap<string, string>): string[] {
  const [first] = ledger;
  const gap = longestGap(ledger);
  if (first === undefined || gap === undefined) return ["the client got no answers"];
  const since = (at: number): string => `${((at - first.at) / 1000).toFixed(3).padStart(8)} s`;
  const rows = stretches(ledger).flatMap(({ address, first: from, last, writes }) => [
    `${since(from.at)}  ${names.get(address) ?? address} answers`,
    `${since(last.at)}  … its last of ${writes} answers`,
  ]);
  return [...rows, `longest gap: ${formatDuration(gap.length)}, at ${since(gap.before.at).trim()}`];
}
