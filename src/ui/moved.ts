import { formatDuration, formatRate, formatSize } from "../units.js";

/** `120MB of 317MB, 104MB/s, 2s left`. Bytes, bytes per second; total null: unknown. */
export function moved({ bytes, total, rate }: { bytes: number; total: number | null; rate: number }): string {
  const amount = total === null ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(total)}`;
  return [amount, ...(rate > 0 ? [formatRate(rate)] : []), ...timeLeft(bytes, total, rate)].join(", ");
}

function timeLeft(bytes: number, total: number | null, rate: number): string[] {
  if (total === null || rate <= 0 || bytes >= total) return [];
  return [`${formatDuration(Math.ceil((total - bytes) / rate) * 1000)} left`];
}
