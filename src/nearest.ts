/**
 * The known word that a mistyped one most likely meant: at most one letter in three is wrong,
 * left out, added or swapped with its neighbour. Undefined where nothing is that close.
 */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  const wrongAtMost = Math.max(1, Math.floor(typed.length / 3));
  const ranked = [...known]
    .map((word) => ({ word, distance: distance(typed, word) }))
    .filter((candidate) => candidate.distance <= wrongAtMost)
    .sort((one, other) => one.distance - other.distance);
  return ranked[0]?.word;
}

/** Optimal string alignment: edits and swaps of neighbours. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(line: readonly number[], column: number): number {
  return line[column] ?? Infinity;
}
