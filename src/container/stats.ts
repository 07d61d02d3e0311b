/** How much was written or read, and how fast, as FastFreeze tells it. */
import type { ImageWork } from "../daemon/api.js";

const mebibyte = 1024 * 1024;

/** For the metrics: MiB, seconds, MiB each second. */
export function statsOf({ bytes, frozenMs }: ImageWork) {
  const size = bytes / mebibyte;
  const seconds = (frozenMs ?? 0) / 1000;
  return {
    total_size_mb: size,
    total_duration_sec: seconds,
    rate_mb_per_sec: seconds === 0 ? 0 : size / seconds,
  };
}

export function describeSize(work: ImageWork): string {
  const { total_size_mb: size, rate_mb_per_sec: rate } = statsOf(work);
  return `Uncompressed image size is ${size.toFixed(0)} MiB, rate: ${rate.toFixed(0)} MiB/s`;
}
