import { median, row, type Row } from "../figures.js";
import { type ExtraMemory, room } from "./memory.js";
import { type Budget, type OurTimes } from "./ours.js";
import { type RawTimes } from "./raw.js";

export interface Series {
  raw: RawTimes;
  ours: Record<Budget | `${Budget}Secret`, OurTimes[]>;
}

const packed = { low: "not packed", medium: "lz4", high: "zstd" } as const;

/** From CRIU's start to the service's end, when the image is whole and on the disk. */
const made = (times: readonly OurTimes[]): number => median(times.map((each) => each.made.frozenMs ?? NaN));
const back = (times: readonly OurTimes[]): number => median(times.map((each) => each.back.totalMs ?? NaN));

/** Rates as times: what is to be done at 0.7 of a rate may take 1 ÷ 0.7 of its time. */
export function rateRows({ raw, ours }: Series, runs: number): Row[] {
  const dump = median(raw.dump);
  const of = `medians of ${runs}`;
  const rows = [
    row("checkpoint, not packed ÷ raw dump", made(ours.low) / dump, "×", 1.43, `raw ${ms(dump)}, ${of}`),
  ];
  for (const [budget, program] of [
    ["medium", "lz4"],
    ["high", "zstd"],
  ] as const) {
    const alone = median(raw[program]);
    const slower = Math.max(alone, dump);
    const note = `raw ${ms(dump)}, ${program} -1 ${ms(alone)}, ours ${ms(made(ours[budget]))}, ${of}`;
    rows.push(
      row(`checkpoint, ${program} ÷ the slower of both`, made(ours[budget]) / slower, "×", 1.11, note),
    );
  }
  for (const budget of ["low", "medium", "high"] as const) {
    const [open, secret] = [made(ours[budget]), made(ours[`${budget}Secret`])];
    const note = `${ms(secret)} and ${ms(open)}`;
    rows.push(row(`checkpoint, ${packed[budget]}, encrypted ÷ not`, secret / open, "×", 1.15, note));
  }
  return [...rows, ...restoreRows({ raw, ours }, of)];
}

function restoreRows({ raw, ours }: Series, of: string): Row[] {
  const restore = median(raw.restore);
  const unpack = { low: 0, medium: median(raw.unlz4), high: median(raw.unzstd) };
  return (["low", "medium", "high"] as const).map((budget) => {
    const bar = 1.3 * restore + unpack[budget];
    const note = `raw ${ms(restore)}${unpack[budget] > 0 ? `, unpacking ${ms(unpack[budget])}` : ""}, ${of}`;
    return row(`restore, ${packed[budget]}`, back(ours[budget]), "ms", Math.round(bar), note);
  });
}

export function treeRow(one: readonly OurTimes[], tree: readonly OurTimes[], processes: number): Row {
  const note = `${ms(back(tree))} and ${ms(back(one))}`;
  return row(`restore, ${processes} processes − one`, back(tree) - back(one), "ms", 300, note);
}

/** @param what how much was frozen, and to where. */
export function memoryRow(what: string, { most, said }: ExtraMemory, bar: number | null): Row {
  return row(`extra memory, ${what}, lz4 and encrypted`, most / 1e6, "MB", bar, said);
}

/** @param free and confined: milliseconds of freezes. */
export function roomRow(what: string, free: readonly number[], confined: readonly number[]): Row {
  const note = `${ms(median(confined))} and ${ms(median(free))}, medians of ${free.length}`;
  return row(
    `frozen, ${what}, in ${room / 1e6} MB ÷ at ease`,
    median(confined) / median(free),
    "×",
    1.2,
    note,
  );
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;
