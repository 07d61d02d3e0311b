import { readFile } from "node:fs/promises";
import { commandLine } from "../argv.js";
import { exitCodes, FastmigError, messageOf } from "../errors.js";
import { draftOf, wholePlan } from "./draft.js";
import type { Plan } from "./plan.js";
import { planInvalid } from "./problem.js";
import { ruleProblems } from "./rules/rules.js";
import { shapeProblems } from "./shape.js";
import { Source } from "./source.js";

/**
 * Reads and checks a plan file. Throws FastmigErrors of exit 2: PLAN_INVALID with every problem at once,
 * PLAN_NOT_FOUND and PLAN_UNREADABLE where there is no file to read.
 */
export async function loadPlan(path: string): Promise<Plan> {
  const bytes = await readFile(path).catch((thrown: unknown) => {
    throw unreadable(path, thrown);
  });
  return parsePlan(decoded(path, bytes), path);
}

/** The plan that a text says; `path` is what messages call it. Throws PLAN_INVALID with every problem at once. */
export function parsePlan(text: string, path: string): Plan {
  const source = new Source(text);
  const { data, problems } = source.read();
  if (problems.length > 0) throw planInvalid(path, problems);
  const shape = shapeProblems(data, (at) => source.written(at));
  const broken = shape.map((problem) => problem.path);
  const draft = draftOf(data, broken);
  const found = [...shape, ...ruleProblems(draft)].map((problem) => source.place(problem));
  const plan = found.length === 0 ? wholePlan(draft, path, text) : undefined;
  if (plan === undefined) throw planInvalid(path, found);
  return plan;
}

function decoded(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FastmigError(`the plan ${path} is not UTF-8 text`, {
      code: "PLAN_UNREADABLE",
      exit: exitCodes.usage,
      cause,
    });
  }
}

function unreadable(path: string, cause: unknown): FastmigError {
  const code = (cause as NodeJS.ErrnoException).code;
  const usage = { exit: exitCodes.usage, cause };
  if (code === "ENOENT") {
    const hint = `${commandLine(["fastmig", "plan", "init", path])} writes one to start from`;
    return new FastmigError(`there is no plan ${path}`, { ...usage, code: "PLAN_NOT_FOUND", hint });
  }
  const reason = code === "EISDIR" ? "it is a directory" : messageOf(cause);
  return new FastmigError(`the plan ${path} cannot be read: ${reason}`, {
    ...usage,
    code: "PLAN_UNREADABLE",
  });
}
