/** CRIU marks what went wrong so, at every log level: `(00.012345)   1001: Error (criu/files-reg.c:2175): …`. */
const errorMark = /\bError \(/;

export interface QuoteOptions {
  /** Lines before and after each error. */
  context?: number;
  /** Lines in all; the first errors are the causes, the last ones their echo. */
  most?: number;
}

/** CRIU's log around each `Error`, in order, gaps marked with `…`; its last lines where it names none. */
export function quoteErrors(log: string, options: QuoteOptions = {}): string[] {
  const { context = 3, most = 40 } = options;
  const lines = log.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.flatMap((line, at) => (errorMark.test(line) ? [at] : []));
  if (errors.length === 0) return lines.slice(-2 * context).map(clip);
  const wanted = around(errors, context, lines.length);
  return bounded(withGaps(lines, wanted), most);
}

/** The error lines alone. */
export function errorLines(log: string): string[] {
  return log.split("\n").filter((line) => errorMark.test(line));
}

function around(places: readonly number[], context: number, end: number): number[] {
  const each = places.flatMap((place) =>
    Array.from({ length: 2 * context + 1 }, (_, at) => place - context + at),
  );
  return [...new Set(each)].filter((place) => place >= 0 && place < end);
}

function withGaps(lines: readonly string[], wanted: readonly number[]): string[] {
  return wanted.flatMap((at, index) => {
    const gap = index > 0 && wanted[index - 1] !== at - 1;
    return gap ? ["…", clip(lines[at] ?? "")] : [clip(lines[at] ?? "")];
  });
}

function bounded(lines: readonly string[], most: number): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`];
}

/** A line of CRIU can carry a mount table. */
function clip(line: string): string {
  return line.length <= 500 ? line : `${line.slice(0, 499)}…`;
}
