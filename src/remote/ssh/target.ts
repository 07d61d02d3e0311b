/** What `ssh -G` knows of a host: where it is, who logs in, what proves that it is the one. */
export interface SshTarget {
  /** As it was asked for: an alias or a host name. */
  asked: string;
  hostName: string;
  port: number;
  user: string;
  identityFiles: string[];
  /** Only these identity files, also from the agent. */
  identitiesOnly: boolean;
  /** The agent's socket; null: no agent. */
  agent: string | null;
  /** The hops before it, first hop first. */
  jumps: Jump[];
  proxyCommand: string | null;
  userKnownHosts: string[];
  globalKnownHosts: string[];
  hostKeyAlias: string | null;
  /** Whether the key of a host that nobody knows is taken as it comes. */
  acceptNew: boolean;
  hashKnownHosts: boolean;
  /** Milliseconds. */
  connectTimeout: number;
  /** 0: either. */
  family: 0 | 4 | 6;
}

export interface Jump {
  host: string;
  user: string | null;
  port: number | null;
}

/** The names under which known_hosts files may hold the target's key, best first. */
export function knownNames(target: Pick<SshTarget, "hostName" | "port" | "hostKeyAlias">): string[] {
  if (target.hostKeyAlias !== null) return [target.hostKeyAlias.toLowerCase()];
  const host = target.hostName.toLowerCase();
  return target.port === 22 ? [host] : [`[${host}]:${target.port}`, host];
}
