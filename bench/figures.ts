/** One line of a bench's table. `bar` null: told for comparison, nothing to hold. */
export interface Row {
  name: string;
  figure: number;
  unit: "ms" | "MB" | "×" | "s" | "runs" | "MB/s";
  /** The figure may be at most this. */
  bar: number | null;
  holds: boolean | null;
  /** What it was taken from. */
  note: string;
}

export function row(name: string, figure: number, unit: Row["unit"], bar: number | null, note = ""): Row {
  return { name, figure: round(figure), unit, bar, holds: bar === null ? null : figure <= bar, note };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

export function minimum(values: readonly number[]): number {
  return Math.min(...values);
}

/** The rows as text, in columns. */
export function table(rows: readonly Row[]): string {
  const head = ["figure", "", "bar", "holds", ""];
  const cells = rows.map(({ name, figure, unit, bar, holds, note }) => [
    name,
    `${figure} ${unit}`,
    bar === null ? "" : `≤ ${bar} ${unit}`,
    holds === null ? "" : holds ? "yes" : "NO",
    note,
  ]);
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? "").length)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
