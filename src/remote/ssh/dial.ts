import type { Duplex } from "node:stream";
import { authenticate } from "./authenticate.js";
import { ChannelStream } from "./channel-stream.js";
import { proxyCommandRefused, tooManyHops, unreachable } from "./connect-errors.js";
import type { Link } from "./link.js";
import { resolveTarget } from "./resolve.js";
import type { Jump, SshTarget } from "./target.js";

export interface Connection {
  link: Link;
  user: string;
  hostName: string;
  /** Of the host key that was verified. */
  fingerprint: string;
  /** Closes it, and the hops before it. */
  close(): Promise<void>;
}

export interface DialOptions {
  /** The plan's name of the node, for errors. */
  node: string;
  configFile: string | undefined;
  acceptNew: boolean;
  signal: AbortSignal | undefined;
}

/** More hops than anybody has: a configuration that jumps in a circle. */
const mostHops = 8;

/** Connects to a host through all its hops; each of them is verified and authenticated as the host itself is. */
export function dial(target: SshTarget, options: DialOptions): Promise<Connection> {
  return dialThrough(target, target.jumps, options, 0);
}

async function dialThrough(
  target: SshTarget,
  jumps: readonly Jump[],
  options: DialOptions,
  hops: number,
): Promise<Connection> {
  if (hops > mostHops) throw tooManyHops(options.node, target);
  const last = jumps.at(-1);
  if (last === undefined) return dialDirectly(target, options);
  const before = jumps.slice(0, -1);
  const hop = await resolveTarget(last, options.configFile);
  // As ssh -J has it: the first hop of a chain goes by its own configuration, the others by the chain.
  const gateway = await dialThrough(hop, before.length > 0 ? before : hop.jumps, options, hops + 1);
  return dialOver(gateway, target, options);
}

async function dialDirectly(target: SshTarget, options: DialOptions): Promise<Connection> {
  if (target.proxyCommand !== null) throw proxyCommandRefused(options.node, target);
  return connection(target, await authenticate(target, options, undefined));
}

async function dialOver(gateway: Connection, target: SshTarget, options: DialOptions): Promise<Connection> {
  try {
    const way = await wayThrough(gateway, target, options);
    const inner = connection(target, await authenticate(target, options, way));
    return { ...inner, close: () => inner.close().finally(() => gateway.close()) };
  } catch (thrown) {
    await gateway.close();
    throw thrown;
  }
}

async function wayThrough(gateway: Connection, target: SshTarget, options: DialOptions): Promise<Duplex> {
  try {
    const channel = await gateway.link.openPort(target.hostName, target.port);
    return new ChannelStream(channel, gateway.link.whyLost);
  } catch (thrown) {
    const said = new Error(`by way of ${gateway.hostName}: ${(thrown as Error).message}`, { cause: thrown });
    throw unreachable(options.node, target, said);
  }
}

function connection(
  target: SshTarget,
  { link, fingerprint }: { link: Link; fingerprint: string },
): Connection {
  return { link, fingerprint, user: target.user, hostName: target.hostName, close: () => link.close() };
}
