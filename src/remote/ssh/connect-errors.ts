import { FastmigError, exitCodes, messageOf } from "../../errors.js";
import type { Credentials } from "./credentials.js";
import type { SshTarget } from "./target.js";

/** What ssh2 adds to the errors of a connection attempt. */
export type AttemptError = Error & { level?: string; code?: string | number };

const exit = exitCodes.unreachable;

/** The user's error for a connection attempt that failed before anybody was asked who they are. */
export function unreachable(node: string, target: SshTarget, thrown: AttemptError): FastmigError {
  const cause = causeOf(thrown);
  return new FastmigError(`node ${node}: ${cause.says(target)}`, {
    code: cause.code,
    exit,
    hint: cause.hint(target),
    cause: thrown,
  });
}

interface Cause {
  code: string;
  says: (target: SshTarget) => string;
  hint: (target: SshTarget) => string;
}

const at = (target: SshTarget): string => `${target.hostName} port ${target.port}`;

const unknownHost: Cause = {
  code: "HOST_UNKNOWN",
  says: (target) => `no such host: ${target.hostName}`,
  hint: (target) => `is the name right? try: getent hosts ${target.hostName}`,
};
const timedOut: Cause = {
  code: "CONNECTION_TIMED_OUT",
  says: (target) => `no answer from ${at(target)} within ${target.connectTimeout / 1000} s`,
  hint: () =>
    "is the host up, and does a firewall drop the packets? ConnectTimeout in the SSH configuration sets the time",
};
const noRoute: Cause = {
  code: "HOST_UNREACHABLE",
  says: (target) => `no way to ${at(target)}`,
  hint: () => "is the host up, and is there a route to it?",
};
const byCode: Record<string, Cause> = {
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ECONNREFUSED: {
    code: "CONNECTION_REFUSED",
    says: (target) => `${at(target)} refused the connection`,
    hint: () => "does sshd run there, on this port?",
  },
  ETIMEDOUT: timedOut,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
};

function causeOf(thrown: AttemptError): Cause {
  if (thrown.level === "client-timeout") return timedOut;
  return byCode[String(thrown.code)] ?? otherwise(thrown);
}

function otherwise(thrown: AttemptError): Cause {
  return {
    code: "SSH_FAILED",
    says: (target) => `no SSH connection to ${at(target)}: ${messageOf(thrown)}`,
    hint: (target) => `see what ssh says: ssh -v -p ${target.port} ${target.user}@${target.hostName} true`,
  };
}

/** Nothing that was offered was taken; `accepted` are the methods that the node would have listened to. */
export function refused(
  node: string,
  target: SshTarget,
  offered: Credentials,
  accepted: readonly string[],
): FastmigError {
  const tried = offered.offered.length > 0 ? offered.offered.map((key) => `tried ${key}`) : ["no key to try"];
  return new FastmigError(`node ${node}: ${target.user}@${at(target)} was not let in`, {
    code: "AUTHENTICATION_REFUSED",
    exit,
    details: [
      ...tried,
      ...offered.withheld,
      ...(accepted.length > 0 ? [`the node accepts ${accepted.join(", ")}`] : []),
    ],
    hint: hints(target, offered),
  });
}

function hints(target: SshTarget, { locked, offered }: Credentials): string[] {
  return [
    ...locked.map((path) => `give the agent the key with the passphrase: ssh-add ${path}`),
    ...(offered.length > 5
      ? ["sshd ends the connection after six keys: set IdentitiesOnly yes and an IdentityFile"]
      : []),
    `put your public key into ${target.user}'s authorized_keys there (ssh-copy-id); passwords are not asked for`,
  ];
}

export function proxyCommandRefused(node: string, target: SshTarget): FastmigError {
  return new FastmigError(
    `node ${node}: the SSH configuration of ${target.asked} has a ProxyCommand, which is not supported`,
    {
      code: "PROXY_COMMAND",
      exit,
      hint: "use ProxyJump",
      details: [`ProxyCommand ${target.proxyCommand ?? ""}`],
    },
  );
}

export function tooManyHops(node: string, target: SshTarget): FastmigError {
  return new FastmigError(
    `node ${node}: ProxyJump leads from hop to hop without an end, last to ${target.asked}`,
    {
      code: "SSH_CONFIG",
      exit,
      hint: `see: ssh -G ${target.asked} | grep -i proxyjump`,
    },
  );
}
