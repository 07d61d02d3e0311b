import { existsSync, globSync, statSync } from "node:fs";

/** Times of change in ms, of every file that the patterns match. */
function changes(patterns) {
  return globSync(patterns).map((file) => statSync(file).mtimeMs);
}

/** Whether `output` is newer than everything it is made of (glob patterns). */
export function isFresh(output, inputs) {
  if (!existsSync(output)) return false;
  const made = statSync(output).mtimeMs;
  return changes(inputs).every((change) => change <= made);
}
