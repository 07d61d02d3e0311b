import { randomBytes } from "node:crypto";
import type { Peer } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import { openRelay } from "../remote/relay.js";
import { given, type MigrationContext } from "./context.js";

/** The way from the source's daemon to the destination's, for one migration. */
export interface Line {
  peer: Peer;
  close(): Promise<void>;
}

/** The open line of this migration; it stays until `closeLine`. */
export async function lineOf(context: MigrationContext): Promise<Line> {
  context.line ??= await openLine(context);
  return context.line;
}

export async function closeLine(context: MigrationContext): Promise<void> {
  const { line } = context;
  context.line = null;
  await line?.close();
}

/** Direct where the plan wants it or a way is found, else through this program; the reason is kept for the report. */
async function openLine(context: MigrationContext): Promise<Line> {
  if (context.migration.transfer === "relay") return throughUs(context, null);
  const port = given(context.standby, "the standby").port;
  if (port === null) return noDirect(context, `${context.destination.name} has no transferPorts in the plan`);
  const direct = await openDirect(context, port);
  return typeof direct === "string" ? noDirect(context, direct) : direct;
}

function noDirect(context: MigrationContext, reason: string): Promise<Line> {
  if (context.migration.transfer === "auto") return throughUs(context, reason);
  throw new FastmigError(`a direct transfer is not possible: ${reason}`, {
    code: "NO_DIRECT_WAY",
    exit: exitCodes.preflight,
    hint: "open the way between the nodes, or write `transfer: auto` or `relay`",
  });
}

/** The relay ended with the program that began it; the source's daemon still asks on the same socket. */
export function reopenLine(context: MigrationContext): Promise<Line> {
  return throughUs(context, null);
}

async function throughUs(context: MigrationContext, reason: string | null): Promise<Line> {
  const { source, destination } = context;
  const way = await openRelay(
    { node: await source.node(), socket: source.paths.peerSocket },
    { node: await destination.node(), socket: destination.paths.daemonSocket },
  );
  context.transfer = { mode: "relay", reason };
  context.tell({ kind: "said", text: `relay${reason === null ? "" : `: ${reason}`}` });
  return { peer: { transport: "relay", socket: source.paths.peerSocket }, close: () => way.close() };
}

/** The secret is this migration's alone, and goes to both ends over SSH. */
async function openDirect(context: MigrationContext, port: number): Promise<Line | string> {
  const { source, destination, id } = context;
  const psk = randomBytes(32).toString("hex");
  const host = (await destination.node()).address;
  await (await destination.daemon()).listen(id, { port, psk });
  const peer = { transport: "direct", host, port, psk } as const;
  // The source's daemon keeps the connection: no round and no freeze waits for one.
  const { obstacle } = await (await source.daemon()).reach(id, { peer });
  if (obstacle !== null)
    return `${source.name} does not reach ${destination.name} at ${host}:${port} (${obstacle})`;
  context.transfer = { mode: "direct", reason: null };
  return { peer, close: () => Promise.resolve() };
}
