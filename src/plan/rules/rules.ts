import type { Draft } from "../draft.js";
import type { Problem } from "../problem.js";
import { migrationRules } from "./migrations.js";
import { nodeRules } from "./nodes.js";
import { pathRules } from "./paths.js";
import { portRules } from "./ports.js";
import { runRules } from "./run.js";

/** One question asked of a draft; it passes over the parts that are null. */
export type Rule = (draft: Draft) => Problem[];

const rules: readonly Rule[] = [...nodeRules, ...runRules, ...pathRules, ...migrationRules, ...portRules];

/** Everything that is wrong between the sound parts of a plan. */
export function ruleProblems(draft: Draft): Problem[] {
  return rules.flatMap((rule) => rule(draft));
}
