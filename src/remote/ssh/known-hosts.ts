import { createHash, createHmac, randomBytes } from "node:crypto";

/** A line of a known_hosts file. The format is that of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownHost {
  file: string;
  /** From 1. */
  line: number;
  marker: "none" | "revoked" | "certAuthority";
  patterns: string[];
  type: string;
  /** The key as SSH sends it. */
  key: Buffer;
}

export type Verdict =
  | { kind: "known"; entry: KnownHost }
  | { kind: "unknown" }
  | { kind: "changed"; entry: KnownHost }
  | { kind: "revoked"; entry: KnownHost }
  /** The host is known by a certificate authority alone. */
  | { kind: "certAuthority"; entry: KnownHost };

const markers: Record<string, KnownHost["marker"]> = {
  "@revoked": "revoked",
  "@cert-authority": "certAuthority",
};

/** The entries of a known_hosts file; comments and lines that are none are passed over, as ssh does. */
export function parseKnownHosts(file: string, text: string): KnownHost[] {
  return text.split(/\r?\n/).flatMap((line, index) => parseLine(file, index + 1, line) ?? []);
}

function parseLine(file: string, line: number, text: string): KnownHost | undefined {
  const words = text.trim().split(/[ \t]+/);
  const marked = words[0]?.startsWith("@") ? words.shift() : undefined;
  const marker = marked === undefined ? "none" : markers[marked];
  const [hosts, type, encoded] = words;
  if (marker === undefined || !hosts || hosts.startsWith("#") || !type || !encoded) return undefined;
  const key = Buffer.from(encoded, "base64");
  // The key names its own type: one that says otherwise is no key.
  if (keyType(key) !== type) return undefined;
  return { file, line, marker, patterns: hosts.split(","), type, key };
}

/** The type that a public key in SSH's encoding names; empty where it is none. */
export function keyType(key: Buffer): string {
  if (key.length < 4) return "";
  const length = key.readUInt32BE(0);
  return length > 0 && length <= key.length - 4 ? key.toString("latin1", 4, 4 + length) : "";
}

/** Whether one of the entry's patterns names the host and none excludes it. `name` is in lower case, `[host]:port` for another port than 22. */
export function names(entry: Pick<KnownHost, "patterns">, name: string): boolean {
  let found = false;
  for (const pattern of entry.patterns) {
    if (pattern.startsWith("!")) {
      if (matches(pattern.slice(1), name)) return false;
    } else found ||= matches(pattern, name);
  }
  return found;
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("|") ? hashMatches(pattern, name) : wildcard(pattern.toLowerCase(), name);
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both base64. */
function hashMatches(pattern: string, name: string): boolean {
  const [, version, salt, hash] = pattern.split("|");
  return (
    version === "1" &&
    salt !== undefined &&
    hash !== undefined &&
    hmac(Buffer.from(salt, "base64"), name) === hash
  );
}

function hmac(salt: Buffer, name: string): string {
  return createHmac("sha1", salt).update(name).digest("base64");
}

/** `*` and `?` and nothing else; in time proportional to the lengths' product, whatever the pattern. */
function wildcard(pattern: string, name: string): boolean {
  let [at, position, star, mark] = [0, 0, -1, 0];
  while (position < name.length) {
    if (pattern[at] === "*") [star, mark] = [at++, position];
    else if (pattern[at] === "?" || pattern[at] === name[position]) [at, position] = [at + 1, position + 1];
    else if (star >= 0) [at, position] = [star + 1, ++mark];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

/**
 * What the files say of a key that a host has shown. `hostNames` are the names to look under, best first: the entries of the first
 * one that has any decide; a later one (the name without its port) may only confirm. A host known by another key of whatever type
 * has changed: a new type must not pass for a new host.
 */
export function judge(entries: readonly KnownHost[], hostNames: readonly string[], key: Buffer): Verdict {
  const revoked = entries.find(
    (entry) => entry.marker === "revoked" && anyName(entry, hostNames) && entry.key.equals(key),
  );
  if (revoked) return { kind: "revoked", entry: revoked };
  const [first = "", ...later] = hostNames;
  const strict = entries.filter((entry) => entry.marker === "none" && names(entry, first));
  const loose =
    strict.length > 0 ? [] : entries.filter((entry) => entry.marker === "none" && anyName(entry, later));
  const same = [...strict, ...loose].find((entry) => entry.key.equals(key));
  if (same) return { kind: "known", entry: same };
  const other = strict.find((entry) => entry.type === keyType(key)) ?? strict[0];
  if (other) return { kind: "changed", entry: other };
  const authority = entries.find((entry) => entry.marker === "certAuthority" && anyName(entry, hostNames));
  return authority ? { kind: "certAuthority", entry: authority } : { kind: "unknown" };
}

function anyName(entry: KnownHost, hostNames: readonly string[]): boolean {
  return hostNames.some((name) => names(entry, name));
}

/** The key types that the host is known by. */
export function knownTypes(entries: readonly KnownHost[], hostNames: readonly string[]): string[] {
  const own = entries.filter((entry) => entry.marker === "none" && anyName(entry, hostNames));
  return [...new Set(own.map((entry) => entry.type))];
}

/** A line for a known_hosts file, with its newline. Hashed where a salt is given. */
export function knownHostLine(name: string, key: Buffer, salt?: Buffer): string {
  const host = salt === undefined ? name : `|1|${salt.toString("base64")}|${hmac(salt, name)}`;
  return `${host} ${keyType(key)} ${key.toString("base64")}\n`;
}

export function newSalt(): Buffer {
  return randomBytes(20);
}

/** As `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
