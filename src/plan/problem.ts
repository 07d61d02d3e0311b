import { exitCodes, FastmigError } from "../errors.js";

export type Path = readonly PropertyKey[];

/** Something wrong in a plan. `at` says whether the key is wrong or what it stands for. */
export interface Problem {
  path: Path;
  at: "key" | "value";
  message: string;
}

/** A problem and where in the file it is, both from 1. */
export interface PlacedProblem {
  line: number;
  col: number;
  where: string;
  message: string;
}

export function atValue(path: Path, message: string): Problem {
  return { path, at: "value", message };
}

export function atKey(path: Path, message: string): Problem {
  return { path, at: "key", message };
}

/** `services.counter.run.publish[0]`; a key that would not read well that way stands in quotes. */
export function pathText(path: Path): string {
  if (path.length === 0) return "plan";
  return path.map(stepText).join("").replace(/^\./, "");
}

function stepText(step: PropertyKey): string {
  if (typeof step === "number") return `[${step}]`;
  const key = String(step);
  return /^[A-Za-z0-9_-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** PLAN_INVALID with every problem as `file:line:col path: message`, from the file's top to its end. */
export function planInvalid(file: string, problems: readonly PlacedProblem[]): FastmigError {
  const sorted = [...problems].sort((one, other) => one.line - other.line || one.col - other.col);
  const count = sorted.length === 1 ? "1 problem" : `${sorted.length} problems`;
  return new FastmigError(`the plan ${file} has ${count}`, {
    code: "PLAN_INVALID",
    exit: exitCodes.usage,
    details: sorted.map(
      ({ line, col, where, message }) => `${file}:${line}:${col} ${where}: ${oneLine(message)}`,
    ),
    hint: "every key with its meaning: plans/reference.yaml; fastmig plan schema prints a schema for editors",
  });
}

/** A problem quotes what is written; a line break or an escape sequence in it stays a word. */
function oneLine(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
