/** Below 0 where `a` is older; compares the numbers, ignores what follows them (`4.2-rc1`). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  const at = left.findIndex((value, index) => value !== (right[index] ?? 0));
  if (at >= 0) return (left[at] ?? 0) - (right[at] ?? 0);
  return right.slice(left.length).some((value) => value > 0) ? -1 : 0;
}

function numbers(version: string): number[] {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}
