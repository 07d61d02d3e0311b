import { exitCodes, FastmigError } from "../../errors.js";
import type { Problem } from "../facts.js";

export function preflightError(service: string, problems: readonly Problem[]): FastmigError {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new FastmigError(`preflight of ${service} found ${count}`, {
    code: "PREFLIGHT",
    exit: exitCodes.preflight,
    details: problems.flatMap(({ check, message, hint }) => [`${check}: ${message}`, `  → ${hint}`]),
  });
}
