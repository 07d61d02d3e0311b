import { commandLine } from "../../argv.js";
import { FastmigError, exitCodes } from "../../errors.js";
import { fingerprint, keyType } from "./known-hosts.js";
import type { KnownHost } from "./known-hosts.js";
import { knownNames } from "./target.js";
import type { SshTarget } from "./target.js";

const exit = exitCodes.unreachable;

export function hostKeyUnknown(node: string, target: SshTarget, key: Buffer): FastmigError {
  const looked = [...target.userKnownHosts, ...target.globalKnownHosts];
  return new FastmigError(`node ${node}: nobody vouches for the host key of ${where(target)}`, {
    code: "HOST_KEY_UNKNOWN",
    exit,
    details: [
      `it shows ${describe(key)}`,
      `looked for ${knownNames(target).join(", ")} in ${looked.join(", ") || "no file"}`,
    ],
    hint: [
      "compare the fingerprint with the host's own (there: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then run again with --accept-new",
      `or fetch the keys: ${commandLine(keyscan(target))} >> ${looked[0] ?? "~/.ssh/known_hosts"}`,
    ],
  });
}

/** A host that shows another key than the one it is known by is never taken, whatever was asked for. */
export function hostKeyChanged(node: string, target: SshTarget, key: Buffer, known: KnownHost): FastmigError {
  return new FastmigError(
    `node ${node}: the host key of ${where(target)} has CHANGED: somebody may be in between`,
    {
      code: "HOST_KEY_CHANGED",
      exit,
      details: [
        `it shows ${describe(key)}`,
        `it is known by ${describe(known.key)} (${known.file}:${known.line})`,
      ],
      hint: [
        "find out why; --accept-new does not help here",
        `if the host really has a new key: ${commandLine(["ssh-keygen", "-f", known.file, "-R", knownNames(target)[0] ?? ""])}`,
      ],
    },
  );
}

export function hostKeyRevoked(node: string, key: Buffer, entry: KnownHost): FastmigError {
  return new FastmigError(`node ${node}: its host key is REVOKED (${entry.file}:${entry.line})`, {
    code: "HOST_KEY_REVOKED",
    exit,
    details: [`it shows ${describe(key)}`],
    hint: "give the host a new key; a revoked one is never taken",
  });
}

export function hostKeyCertified(node: string, target: SshTarget, authority: KnownHost): FastmigError {
  return new FastmigError(
    `node ${node}: ${where(target)} is known by a certificate authority alone (${authority.file}:${authority.line}), which is not supported`,
    {
      code: "HOST_KEY_CERTIFICATE",
      exit,
      hint: `add the host's own key: ${commandLine(keyscan(target))} >> ${target.userKnownHosts[0] ?? "~/.ssh/known_hosts"}`,
    },
  );
}

function keyscan(target: SshTarget): string[] {
  return ["ssh-keyscan", ...(target.port === 22 ? [] : ["-p", String(target.port)]), target.hostName];
}

function where(target: SshTarget): string {
  return `${target.hostName} port ${target.port}`;
}

function describe(key: Buffer): string {
  return `${keyType(key)} ${fingerprint(key)}`;
}
