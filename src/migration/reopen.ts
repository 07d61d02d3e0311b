import { readFile } from "node:fs/promises";
import { exitCodes, FastmigError } from "../errors.js";
import type { Plan } from "../plan/plan.js";
import type { ConnectOptions } from "../remote/connect.js";
import { newContext, type MigrateOptions, type MigrationContext } from "./context.js";
import { Journal } from "./journal.js";
import { Nodes } from "./nodes.js";

/** A migration as its journal has it, whose own program is gone. */
interface Reopened {
  context: MigrationContext;
  nodes: Nodes;
}

/** Throws UNKNOWN_MIGRATION (2), and STILL_RUNS (7) while the program that began it lives, unless told to go on all the same. */
async function reopen({ id, options, connect, alive }: ReopenRequest): Promise<Reopened> {
  const journal = await Journal.read(options.journals, id);
  const { created } = journal;
  if (alive === "refuse" && (await isAlive(journal.pid))) throw stillRuns(id, journal.pid);
  const plan = options.readPlan(await readFile(journal.path("plan.yaml"), "utf8"), created.plan);
  const nodes = new Nodes(plan, {
    ...connect,
    sshConfig: connect.sshConfig ?? created.sshConfig ?? undefined,
  });
  const context = newContext(nodes, plan, migrationOf(plan, journal), options, id);
  context.journal = journal;
  context.epoch = created.epoch;
  context.transfer = { mode: journal.way ?? "relay", reason: null };
  return { context, nodes };
}

function migrationOf(plan: Plan, { created }: Journal): Plan["migrations"][number] {
  const found = plan.migrations.find(
    ({ service, from, to }) => service === created.service && from === created.from && to === created.to,
  );
  if (found === undefined)
    throw new Error(
      `the journal's plan has no migration of ${created.service} from ${created.from} to ${created.to}`,
    );
  return found;
}

/** A process of another program may have the number by now. */
export async function isAlive(pid: number): Promise<boolean> {
  if (pid === process.pid) return false;
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return /fastmig|bin\/(run|dev)\.js/.test(words);
}

export function stillRuns(id: string, pid: number): FastmigError {
  return new FastmigError(`another program works on migration ${id} (pid ${pid})`, {
    code: "STILL_RUNS",
    exit: exitCodes.locked,
    hint: `wait for it; \`fastmig abort ${id}\` asks it to stop`,
  });
}

/** The plan's own reader is handed in: a migration knows plans as values only. */
export interface ReopenOptions extends MigrateOptions {
  readPlan(text: string, path: string): Plan;
}

export interface ReopenRequest {
  id: string;
  options: ReopenOptions;
  connect: ConnectOptions;
  alive: "refuse" | "allow";
}

/** Reopens a migration for one piece of work, and closes its connections. */
export async function withReopened<T>(
  request: ReopenRequest,
  work: (context: MigrationContext) => Promise<T>,
): Promise<T> {
  const { context, nodes } = await reopen(request);
  try {
    return await work(context);
  } finally {
    await nodes.close();
  }
}
