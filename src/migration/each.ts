import { exitCodes, FastmigError, messageOf } from "../errors.js";

/** What became of one of several migrations that one command works through. */
export interface Outcome<T> {
  id: string;
  result: T | null;
  error: string | null;
}

/** Works through all ids though one fails, then throws the failures together, with the first one's exit code. */
export async function forEachMigration<T>(
  ids: readonly string[],
  work: (id: string) => Promise<T>,
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  const failures: { id: string; thrown: unknown }[] = [];
  for (const id of ids) {
    try {
      outcomes.push({ id, result: await work(id), error: null });
    } catch (thrown) {
      failures.push({ id, thrown });
      outcomes.push({ id, result: null, error: messageOf(thrown) });
    }
  }
  throwAll(failures, ids.length);
  return outcomes;
}

function throwAll(failures: readonly { id: string; thrown: unknown }[], count: number): void {
  const [first] = failures;
  if (first === undefined) return;
  if (count === 1) throw first.thrown;
  throw new FastmigError(`${failures.length} of ${count} migrations could not be settled`, {
    code: "SEVERAL_FAILED",
    exit: first.thrown instanceof FastmigError ? first.thrown.exit : exitCodes.bug,
    details: failures.map(({ id, thrown }) => `${id}: ${messageOf(thrown)}`),
    hint: failures.flatMap(({ thrown }) => (thrown instanceof FastmigError ? thrown.hint.slice(-1) : [])),
    cause: first.thrown,
  });
}
