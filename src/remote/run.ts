import { commandLine } from "../argv.js";
import type { Argv } from "../argv.js";
import { FastmigError, assertNever, exitCodes } from "../errors.js";
import type { ExecOptions, Node, Outcome } from "./node.js";
import { refusedBySudo, sudoError } from "./sudo.js";

/** Lines of a failed command's output that an error shows. */
const tail = 20;

/**
 * Runs a command on a node and returns its standard output.
 * Throws COMMAND_FAILED unless it exited 0, SUDO_REFUSED where sudo wants a password, and the signal's reason when aborted.
 */
export async function run(node: Node, argv: Argv, options: ExecOptions = {}): Promise<string> {
  options.signal?.throwIfAborted();
  const outcome = await node.exec(argv, options);
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
  options.signal?.throwIfAborted();
  throw commandFailed(node, argv, outcome);
}

/** The error of a command that did not exit 0. */
export function commandFailed(node: Pick<Node, "name" | "user">, argv: Argv, outcome: Outcome): FastmigError {
  if (refusedBySudo(outcome.stderr)) return sudoError(node.name, node.user, outcome.stderr);
  return new FastmigError(`on node ${node.name}: ${commandLine(argv)}: ${howItEnded(outcome)}`, {
    code: outcome.kind === "lost" ? "COMMAND_LOST" : "COMMAND_FAILED",
    exit: outcome.kind === "lost" ? exitCodes.unreachable : exitCodes.rolledBack,
    details: lastLines(outcome),
  });
}

export function howItEnded(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 127
        ? "exited with code 127 (command not found)"
        : `exited with code ${outcome.code}`;
    case "signaled":
      return `was ended by ${outcome.signal}`;
    case "lost":
      return `unknown how it ended: ${outcome.reason}`;
    default:
      return assertNever(outcome);
  }
}

function lastLines(outcome: Outcome): string[] {
  const text = outcome.stderr.trim() === "" ? outcome.stdout : outcome.stderr;
  return text
    .trimEnd()
    .split("\n")
    .slice(-tail)
    .filter((line) => line !== "");
}
