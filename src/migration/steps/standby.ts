import { exitCodes, FastmigError } from "../../errors.js";
import type { Status } from "../../daemon/api.js";
import { inspectContainer } from "../containers.js";
import { given, type MigrationContext } from "../context.js";
import { clockProblems } from "../preflight/clock.js";
import { compareCriu } from "../preflight/criu.js";
import { preflightError } from "../preflight/problems.js";
import type { Problem } from "../facts.js";
import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import { awaitDaemon, createStandby, publishedTransferPort } from "../standby.js";
import type { Step } from "../step.js";
import { statusOf } from "./connect.js";

/** A container at the destination whose daemon waits, warm, before anything is frozen. */
export const standby: Step<MigrationContext> = {
  name: "standby",
  title: "Start the standby",
  kind: "reversible",
  run: async (context, signal) => {
    const { destination } = context;
    const port = await containerAt(context);
    const status = await awaitDaemon(destination, signal);
    if (status.open?.id !== context.id) throw stranger(context, status);
    context.standby = { status, port, version: status.version };
    const problems = await livingProblems(context, status);
    if (problems.length > 0) throw preflightError(context.service.name, problems);
  },
  undo: async (context) => {
    const { destination, service } = context;
    if (isPrepared(context)) return `the standby on ${destination.name} was there before, and waits again`;
    const container = await inspectContainer(destination, service.name);
    if (container === null) return `there is no standby on ${destination.name}`;
    await run(await destination.node(), podman.remove(service.name));
    return `the standby is removed from ${destination.name}`;
  },
};

/** A standby made beforehand is used; preflight has seen that it fits. */
function isThere({ facts }: MigrationContext): boolean {
  return facts !== null && facts.destination.container !== null;
}

/** It was no part of this migration, not even of its predump. */
function isPrepared(context: MigrationContext): boolean {
  return isThere(context) && context.journal?.made("standby") !== true;
}

async function containerAt(context: MigrationContext): Promise<number | null> {
  const { destination, service } = context;
  if (isThere(context)) return publishedTransferPort(destination);
  const facts = given(context.facts, "preflight's facts");
  await context.journal?.append({
    kind: "made",
    node: destination.name,
    what: "standby",
    name: service.name,
  });
  const { imageId } = given(facts.source.container, "the source's container");
  return createStandby(destination, service, imageId, facts.destination.taken);
}

/** What only the two real daemons can say of CRIU and of the clock. */
async function livingProblems(
  { source, destination, options }: MigrationContext,
  ours: Status,
): Promise<Problem[]> {
  const { status: theirs } = await statusOf(source);
  if (theirs === null) return [];
  const [from, to] = [
    { node: source.name, uptime: theirs.uptime },
    { node: destination.name, uptime: ours.uptime },
  ];
  return [
    ...compareCriu(source.name, theirs.criu, destination.name, ours.criu),
    ...(options.allowClockJump ? [] : clockProblems(from, to, theirs.tree)),
  ];
}

function stranger({ destination, id }: MigrationContext, { open }: Status): FastmigError {
  return new FastmigError(
    `the standby's daemon on ${destination.name} works for ${open === null ? "no migration" : `migration ${open.id}`}, not for ${id}`,
    {
      code: "STANDBY_STRANGE",
      exit: exitCodes.rolledBack,
      hint: `look at /var/lib/fastmig there, and at \`fastmig status PLAN\``,
    },
  );
}
