import { exitCodes, FastmigError } from "../errors.js";
import type { Plan, PlanMigration } from "../plan/plan.js";
import type { ConnectOptions } from "../remote/connect.js";
import { newContext, type MigrateOptions } from "./context.js";
import type { Facts, Problem } from "./facts.js";
import { Nodes } from "./nodes.js";
import { check } from "./preflight/checks.js";
import { preflightError } from "./preflight/problems.js";
import { gatherFacts } from "./preflight/gather.js";
import { whyUnsupported } from "./preflight/pre-copy.js";
import { checkTogether } from "./preflight/together.js";
import { runsAt } from "./steps/connect.js";

export interface Checked {
  service: string;
  from: string;
  to: string;
  outcome: "ready" | "already there";
  problems: Problem[];
  /** What will be done otherwise than the plan has it. */
  warnings: string[];
}

/** Throws PREFLIGHT (exit 3) with the problems of all migrations. */
export async function preflightAll(
  plan: Plan,
  migrations: readonly PlanMigration[],
  options: MigrateOptions,
  connect: ConnectOptions,
): Promise<Checked[]> {
  const nodes = new Nodes(plan, connect);
  try {
    const gathered = await Promise.all(
      migrations.map((migration) => gatherFacts(newContext(nodes, plan, migration, options))),
    );
    const together = checkTogether(gathered.filter((facts) => !isThere(facts)));
    const checked = gathered.map((facts) => checkOne(facts, together.get(facts) ?? [], options));
    const [first, ...others] = checked.filter(({ problems }) => problems.length > 0);
    if (first !== undefined) throw severalErrors([first, ...others]);
    return checked;
  } finally {
    await nodes.close();
  }
}

function checkOne(facts: Facts, more: readonly Problem[], { allowClockJump }: MigrateOptions): Checked {
  const { service, from, to } = facts.migration;
  if (isThere(facts)) return { service, from, to, outcome: "already there", problems: [], warnings: [] };
  const problems = [...check(facts, { allowClockJump, id: null }), ...more];
  const unsupported = whyUnsupported(facts);
  const warnings = unsupported === null ? [] : [`${unsupported}: it will be moved by stop-and-copy`];
  return { service, from, to, outcome: "ready", problems, warnings };
}

function isThere({ source, destination }: Facts): boolean {
  return runsAt({ source: source.status, destination: destination.status });
}

function severalErrors(checked: readonly Checked[]): FastmigError {
  const errors = checked.map(({ service, problems }) => preflightError(service, problems));
  const [only] = errors;
  if (errors.length === 1 && only !== undefined) return only;
  return new FastmigError(
    `preflight found problems with ${checked.map(({ service }) => service).join(", ")}`,
    {
      code: "PREFLIGHT",
      exit: exitCodes.preflight,
      details: errors.flatMap((error) => [`${error.message}:`, ...error.details.map((line) => `  ${line}`)]),
    },
  );
}
