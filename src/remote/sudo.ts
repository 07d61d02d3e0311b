import type { Argv } from "../argv.js";
import { FastmigError, exitCodes } from "../errors.js";

/** The command as root's, without ever asking for a password. */
export function withSudo(argv: Argv): Argv {
  return ["sudo", "-n", "--", ...argv];
}

/** What sudo says when it wants a password, a terminal, or knows no rule for the user. */
const refusals = [
  /^sudo: a password is required/m,
  /^sudo: a terminal is required/m,
  /is not in the sudoers file/,
  /is not allowed to (execute|run sudo)/,
];

export function refusedBySudo(stderr: string): boolean {
  return refusals.some((refusal) => refusal.test(stderr));
}

export function sudoError(node: string, user: string, stderr: string): FastmigError {
  return new FastmigError(`sudo on node ${node} wants a password of ${user}`, {
    code: "SUDO_REFUSED",
    exit: exitCodes.unreachable,
    hint: [
      `allow it without one, on ${node} in /etc/sudoers.d/fastmig: ${user} ALL=(root) NOPASSWD: ALL`,
      "or log in as root and leave out sudo: true",
    ],
    details: stderr.trim().split("\n"),
  });
}
