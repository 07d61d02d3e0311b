import { ErrorBody } from "../daemon/api.js";
import { FastmigError, exitCodes, messageOf } from "../errors.js";
import type { ExitCode } from "../errors.js";
import type { Node } from "./node.js";

/** The daemon that was asked, for the messages. */
export interface Asked {
  node: Node;
  socket: string;
  /** `POST /run` */
  what: string;
}

/** Another migration is open there. */
export function isLocked(thrown: unknown): boolean {
  return thrown instanceof FastmigError && thrown.code === "LOCKED";
}

/** The daemon answers again as soon as its round is over. */
export function isRoundUnderWay(thrown: unknown): boolean {
  return thrown instanceof FastmigError && thrown.code === "ROUND_UNDER_WAY";
}

/** The daemon answered, and knows no such migration. */
export function isUnknownMigration(thrown: unknown): boolean {
  return thrown instanceof FastmigError && thrown.code === "NOT_FOUND";
}

const exits: Record<string, ExitCode> = { LOCKED: exitCodes.locked, BAD_REQUEST: exitCodes.bug };

/** What the daemon refused or failed at, under the daemon's own code. */
export function answerError(asked: Asked, status: number, text: string): FastmigError {
  const body = ErrorBody.safeParse(jsonOf(text));
  if (!body.success) return brokenAnswer(asked, [`HTTP status ${status}`, ...text.split("\n").slice(0, 5)]);
  const { code, message, problems = [] } = body.data.error;
  return new FastmigError(`${daemonOf(asked)} refused ${asked.what}: ${message}`, {
    code,
    exit: exits[code] ?? exitCodes.rolledBack,
    details: problems,
  });
}

/** An answer that the schema does not know. */
export function brokenAnswer(asked: Asked, details: readonly string[]): FastmigError {
  return new FastmigError(
    `${daemonOf(asked)} answered ${asked.what} in a way that this fastmig does not understand`,
    {
      code: "DAEMON_ANSWER",
      exit: exitCodes.rolledBack,
      details,
      hint: "are the container's image and this program of the same version?",
    },
  );
}

export function daemonLate(asked: Asked, timeout: number): FastmigError {
  return new FastmigError(`${daemonOf(asked)} did not answer ${asked.what} within ${timeout} ms`, {
    code: "DAEMON_TIMEOUT",
    exit: exitCodes.unreachable,
    hint: "look at what it says: podman logs of the service's container",
  });
}

/** The connection ended before the answer: whether it was done is not known. */
export function answerLost(asked: Asked, cause: unknown): FastmigError {
  return new FastmigError(
    `${daemonOf(asked)}: the connection ended before ${asked.what} was answered: ${messageOf(cause)}`,
    {
      code: "ANSWER_LOST",
      exit: exitCodes.unreachable,
      cause,
    },
  );
}

/** No connection came about. Looks at the node for the reason. */
export async function noConnection(asked: Asked, cause: unknown): Promise<FastmigError> {
  const { node, socket } = asked;
  const outcome = await node.exec(["test", "-S", socket], { timeout: 5000 });
  if (outcome.kind === "lost") return answerLost(asked, cause);
  return outcome.kind === "exited" && outcome.code === 0
    ? daemonDead(asked, cause)
    : daemonAbsent(asked, cause);
}

function daemonAbsent({ node, socket }: Asked, cause: unknown): FastmigError {
  return new FastmigError(
    `the container runs no fastmig daemon: there is no ${socket} on node ${node.name}`,
    {
      code: "NO_DAEMON",
      exit: exitCodes.preflight,
      hint: [
        "a service comes under the daemon by an image FROM fastmig's and `fastmig start PLAN`",
        `is its container running? on ${node.name}: podman ps --all`,
      ],
      cause,
    },
  );
}

function daemonDead({ node, socket }: Asked, cause: unknown): FastmigError {
  return new FastmigError(`nobody answers at ${socket} on node ${node.name}`, {
    code: "DAEMON_DEAD",
    exit: exitCodes.unreachable,
    hint: [
      "is the service's container running? (podman ps --all, podman logs)",
      `may ${node.user} open the socket, and does sshd forward to it? (AllowStreamLocalForwarding yes, no DisableForwarding)`,
    ],
    cause,
  });
}

function daemonOf({ node, socket }: Asked): string {
  return `the daemon on node ${node.name} (${socket})`;
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
