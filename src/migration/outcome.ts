import { exitCodes, FastmigError, messageOf } from "../errors.js";
import type { MigrationResult } from "./migrate.js";

/** The worst first: whoever reads one exit code for several migrations has to hear of the one that needs him most. */
const order = [
  exitCodes.bug,
  exitCodes.inDoubt,
  exitCodes.terminated,
  exitCodes.interrupted,
  exitCodes.unreachable,
  exitCodes.rolledBack,
  exitCodes.locked,
  exitCodes.preflight,
];

/** Throws what a failed run has to say. One failure speaks for itself; several are listed. */
export function throwFailures(results: readonly MigrationResult[]): void {
  const failed = results.flatMap((result) => (result.outcome === "failed" ? [result] : []));
  const [first] = failed;
  if (first === undefined) return;
  if (results.length === 1) throw first.error;
  throw new FastmigError(`${failed.length} of ${results.length} migrations failed`, {
    code: failed.length === 1 ? codeOf(first.error) : "SEVERAL_FAILED",
    exit: worst(failed.map(({ error }) => exitOf(error))),
    details: results.flatMap(lines),
    hint: failed.flatMap(({ error }) => (error instanceof FastmigError ? error.hint.slice(-1) : [])),
    cause: first.error,
  });
}

function lines(result: MigrationResult): string[] {
  const name = `${result.service}: ${result.from} → ${result.to}`;
  if (result.outcome !== "failed") return [`${name}: ${result.outcome}`];
  const details = result.error instanceof FastmigError ? result.error.details : [];
  return [`${name}: ${messageOf(result.error)}`, ...details.map((line) => `  ${line}`)];
}

function codeOf(error: unknown): string {
  return error instanceof FastmigError ? error.code : "UNEXPECTED";
}

function exitOf(error: unknown): FastmigError["exit"] {
  return error instanceof FastmigError ? error.exit : exitCodes.bug;
}

function worst(codes: readonly FastmigError["exit"][]): FastmigError["exit"] {
  return order.find((code) => codes.includes(code)) ?? exitCodes.rolledBack;
}

/** With `--strict` a missed downtime budget is an exit code of its own, though everything is done. */
export function throwMissedBudgets(results: readonly MigrationResult[]): void {
  const missed = results.filter(
    (result) => result.outcome === "migrated" && result.report?.downtime?.met === false,
  );
  if (missed.length === 0) return;
  throw new FastmigError(
    `migrated, but the downtime budget was missed: ${missed.map(({ service }) => service).join(", ")}`,
    {
      code: "BUDGET_MISSED",
      exit: exitCodes.budgetMissed,
      hint: missed.map(({ service, to }) => `${service} runs on ${to}; nothing is left to do`),
    },
  );
}
