import type { RoundLine } from "../migration/precopy/round-line.js";
import { formatDuration, formatRate, formatSize } from "../units.js";

/** `round 2: 4694 pages, 19.2MB at 98MB/s in 210ms, 6MB/s dirty; downtime 131ms of 300ms`, as far as it is known. */
export function roundText(round: RoundLine): string {
  const { number, parent, failure, predictedMs, budgetMs } = round;
  if (round.state === "failed") return `round ${number}: failed: ${failure ?? "no reason given"}`;
  const kind = parent === null ? ["whole memory"] : [];
  const facts = [...kind, ...copied(round)].join(", ");
  const budget = budgetMs === null ? "" : ` of ${formatDuration(budgetMs)}`;
  return `round ${number}: ${facts}${predictedMs === null ? "" : `; downtime ${formatDuration(predictedMs)}${budget}`}`;
}

function copied({ pages, bytes, rate, ms, dirtyRate }: RoundLine): string[] {
  const at = rate === null ? "" : ` at ${formatRate(rate)}`;
  const within = ms === null ? "" : ` in ${formatDuration(ms)}`;
  return [
    ...(pages === null ? [] : [`${pages} pages`]),
    `${formatSize(bytes)}${at}${within}`,
    ...(dirtyRate === null ? [] : [`${formatRate(dirtyRate)} dirty`]),
  ];
}
