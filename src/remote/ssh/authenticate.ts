import { createConnection } from "node:net";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import type { AuthenticationType, Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { refused, unreachable } from "./connect-errors.js";
import type { AttemptError } from "./connect-errors.js";
import { credentialsFor } from "./credentials.js";
import type { Credentials } from "./credentials.js";
import type { DialOptions } from "./dial.js";
import { HostKeys } from "./host-key.js";
import { fingerprint } from "./known-hosts.js";
import { Link } from "./link.js";
import type { SshTarget } from "./target.js";

export interface Authenticated {
  link: Link;
  fingerprint: string;
}

/** Silence for this many milliseconds, this often, and the link is lost. */
const keepalive = { keepaliveInterval: 5000, keepaliveCountMax: 3 };

/** One attempt to connect: what happened in it decides which error the user sees. */
interface Attempt {
  target: SshTarget;
  options: DialOptions;
  credentials: Credentials;
  hostKeys: HostKeys;
  verified: Buffer | undefined;
  /** What the check of the host key threw. */
  denied: Error | undefined;
  /** The methods the node listens to, once it said so. */
  accepted: readonly string[];
  asked: boolean;
}

/** Connects (over `way` where it is given), verifies the host's key, proves who we are. Throws with exit code 4. */
export async function authenticate(
  target: SshTarget,
  options: DialOptions,
  way: Duplex | undefined,
): Promise<Authenticated> {
  options.signal?.throwIfAborted();
  const attempt: Attempt = {
    target,
    options,
    credentials: await credentialsFor(target),
    hostKeys: await HostKeys.of(target),
    verified: undefined,
    denied: undefined,
    accepted: [],
    asked: false,
  };
  const client = new ssh2.Client();
  await connected(client, attempt, way);
  return { link: new Link(client), fingerprint: fingerprint(attempt.verified ?? Buffer.alloc(0)) };
}

async function connected(client: Client, attempt: Attempt, way: Duplex | undefined): Promise<void> {
  const { signal } = attempt.options;
  const stop = (): boolean => client.emit("error", new Error("aborted"));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await ready(client, configOf(attempt, way));
  } catch (thrown) {
    client.destroy();
    throw signal?.aborted ? (signal.reason as Error) : why(attempt, thrown as AttemptError);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function ready(client: Client, config: ConnectConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("ready", resolve);
    // The listeners stay: an error that nobody listens to would end the program.
    client.on("error", (thrown) => (goesOn(thrown) ? undefined : reject(thrown)));
    client.once("close", () => reject(new Error("the node closed the connection")));
    client.connect(config);
  });
}

/** An agent that does not sign is one way less; ssh2 tries the next. */
function goesOn(thrown: AttemptError): boolean {
  return thrown.level === "agent";
}

function why(attempt: Attempt, thrown: AttemptError): Error {
  const { target, options } = attempt;
  if (attempt.denied) return attempt.denied;
  if (attempt.asked && thrown.level !== "client-timeout")
    return refused(options.node, target, attempt.credentials, attempt.accepted);
  return unreachable(options.node, target, thrown);
}

function socketTo({ hostName: host, port, family }: SshTarget): Socket {
  return createConnection({ host, port, family, noDelay: true });
}

function configOf(attempt: Attempt, way: Duplex | undefined): ConnectConfig {
  const { target } = attempt;
  return {
    username: target.user,
    sock: way ?? socketTo(target),
    readyTimeout: target.connectTimeout,
    ...keepalive,
    algorithms: {
      cipher: [
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
      ],
      serverHostKey: hostKeyAlgorithms(attempt.hostKeys.types()),
    },
    hostVerifier: (key: Buffer, done: (valid: boolean) => void) => verify(attempt, key, done),
    authHandler: nextMethod(attempt),
  };
}

function verify(attempt: Attempt, key: Buffer, done: (valid: boolean) => void): void {
  // Every rekeying asks again.
  if (attempt.verified) return done(key.equals(attempt.verified));
  const { node, acceptNew } = attempt.options;
  attempt.hostKeys.check(key, node, acceptNew || attempt.target.acceptNew).then(
    () => {
      attempt.verified = key;
      done(true);
    },
    (thrown: Error) => {
      attempt.denied = thrown;
      done(false);
    },
  );
}

function nextMethod(attempt: Attempt): NonNullable<ConnectConfig["authHandler"]> {
  const left = [...attempt.credentials.methods];
  return (accepted: AuthenticationType[] | null, _partial, next) => {
    attempt.asked = true;
    attempt.accepted = accepted ?? attempt.accepted;
    // ssh2 ends the attempt on false, which its types do not know.
    next(left.shift() ?? (false as unknown as AuthenticationType));
  };
}

const supported: ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** The algorithms of the key types that the host is known by come first: else it might show a key that nobody knows. */
export function hostKeyAlgorithms(types: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = supported.filter((algorithm) =>
    types.includes(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm),
  );
  return [...known, ...supported.filter((algorithm) => !known.includes(algorithm))];
}
