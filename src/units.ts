/**
 * Sizes, rates and durations as people write them: `300MB` (10^6), `300MiB` (2^20), `100MB/s`, `100Mbit/s`, `1h30m`.
 * In the program they are whole numbers: bytes, bytes per second, milliseconds. A number without a unit is refused.
 */
const decimal = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
const binary = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const sizes = new Map(Object.entries({ ...decimal, ...binary }));
const biggestFirst = [...sizes].sort(([, one], [, other]) => other - one);
const bits = new Map(Object.entries({ bit: 1 / 8, kbit: 1e3 / 8, Mbit: 1e6 / 8, Gbit: 1e9 / 8 }));
const durations = new Map([
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
]);

export const sizeForm =
  "a size with its unit: 300MB, 1.5GB (powers of 1000: B, kB, MB, GB, TB) or 300MiB (KiB, MiB, GiB, TiB)";
export const rateForm = "a rate with its unit: 100MB/s, 100MiB/s or 100Mbit/s (kbit/s, Mbit/s, Gbit/s)";
export const durationForm = "a duration with its unit: 300ms, 1.5s, 5m, 1h or 1h30m";

const amount = /^([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)$/;
const part = /([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g;
const wholeDuration = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/;

/** Bytes. Throws an Error that names what is accepted. */
export function parseSize(text: string): number {
  return scaled(text, sizes) ?? refuse(text, sizeForm);
}

/** Bytes per second. Throws an Error that names what is accepted. */
export function parseRate(text: string): number {
  const perSecond = /^(.*[^ ]) ?\/ ?s$/.exec(text.trim())?.[1] ?? "";
  return scaled(perSecond, sizes) ?? scaled(perSecond, bits) ?? refuse(text, rateForm);
}

/** Milliseconds. Parts go from big to small, each unit once (`1h30m`). Throws an Error that names what is accepted. */
export function parseDuration(text: string): number {
  const word = text.trim();
  if (!wholeDuration.test(word)) return refuse(text, durationForm);
  const parts = [...word.matchAll(part)].map(([, digits, unit]) => ({
    value: Number(digits),
    unit: durations.get(unit ?? "") ?? 0,
  }));
  const falling = parts.every((one, at) => at === 0 || one.unit < (parts[at - 1]?.unit ?? 0));
  const total = whole(parts.reduce((sum, one) => sum + one.value * one.unit, 0));
  return falling && total !== undefined ? total : refuse(text, durationForm);
}

/** `317MB`, `1.07GB`: three digits that count, powers of 1000. */
export function formatSize(bytes: number): string {
  const [unit, factor] = fitting(Math.abs(bytes), ["TB", "GB", "MB", "kB"]);
  return `${factor === 1 ? Math.round(bytes) : threeDigits(bytes / factor)}${unit}`;
}

/** The same number of bytes in the biggest unit that divides it, for `parseSize` to read again: `512MiB`, `1500B`. */
export function exactSize(bytes: number): string {
  const [unit, factor] =
    bytes === 0 ? ["B", 1] : (biggestFirst.find(([, one]) => bytes % one === 0) ?? ["B", 1]);
  return `${bytes / factor}${unit}`;
}

/** The same rate in the biggest unit that divides it, for `parseRate` to read again: `100MB/s`. */
export function exactRate(bytesPerSecond: number): string {
  return `${exactSize(bytesPerSecond)}/s`;
}

/** `104MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(bytesPerSecond)}/s`;
}

/** Exact to the millisecond: `300ms`, `1.5s`, `1m31.234s`, `1h30m`. */
export function formatDuration(milliseconds: number): string {
  const total = Math.round(Math.abs(milliseconds));
  const sign = milliseconds < 0 && total > 0 ? "-" : "";
  if (total < 1000) return `${sign}${total}ms`;
  const hours = Math.floor(total / 3_600_000);
  const minutes = Math.floor((total % 3_600_000) / 60_000);
  const seconds = (total % 60_000) / 1000;
  return (
    sign + [hours && `${hours}h`, minutes && `${minutes}m`, seconds && `${seconds}s`].filter(Boolean).join("")
  );
}

function scaled(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits, unit] = amount.exec(text.trim()) ?? [];
  const factor = units.get(unit ?? "");
  return factor === undefined ? undefined : whole(Number(digits) * factor);
}

/** Beyond 2^53 a number is no longer what was written. */
function whole(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}

function fitting(bytes: number, names: readonly (keyof typeof decimal)[]): [string, number] {
  const name = names.find((one) => Number((bytes / decimal[one]).toPrecision(3)) >= 1) ?? "B";
  return [name, decimal[name]];
}

function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function refuse(text: string, form: string): never {
  throw new Error(`"${text}" is not ${form}`);
}
