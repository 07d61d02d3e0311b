import { exitCodes, FastmigError, messageOf } from "../../errors.js";
import type { FirstLook, MigrationContext } from "../context.js";
import { ownershipOf } from "../state-files.js";
import type { Site } from "../site.js";
import type { Step } from "../step.js";
import type { Status } from "../../daemon/api.js";

/** Reaches both nodes and asks both ends what they have. Changes nothing. */
export const connect: Step<MigrationContext> = {
  name: "connect",
  title: "Connect to both nodes",
  kind: "reversible",
  run: async (context) => {
    const { source, destination } = context;
    await reachBoth(source, destination);
    const [theirs, ours, ownership] = await Promise.all([
      statusOf(source),
      statusOf(destination),
      ownershipOf(destination),
    ]);
    context.look = {
      source: theirs.status,
      sourceError: theirs.error,
      destination: ours.status,
      destinationOwnership: ours.status?.ownership ?? ownership,
    };
  },
};

/** Both are tried to the end: whoever has to mend two nodes wants to hear of both at once. */
async function reachBoth(...sites: [Site, Site]): Promise<void> {
  const tried = await Promise.allSettled(sites.map((site) => site.node()));
  const errors = tried.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (errors.length < sites.length) {
    if (errors.length > 0) throw errors[0];
    return;
  }
  throw new FastmigError(`neither ${sites[0].name} nor ${sites[1].name} can be reached`, {
    code: errors[0] instanceof FastmigError ? errors[0].code : "UNREACHABLE",
    exit: exitCodes.unreachable,
    details: errors.flatMap((error) => [
      messageOf(error),
      ...(error instanceof FastmigError ? [...error.details, ...error.hint.map((line) => `→ ${line}`)] : []),
    ]),
    cause: errors[0],
  });
}

/** The daemon's status, or why there is none. */
export async function statusOf(
  site: Site,
): Promise<{ status: Status; error: null } | { status: null; error: string }> {
  try {
    return { status: await (await site.daemon()).status(), error: null };
  } catch (thrown) {
    return { status: null, error: messageOf(thrown) };
  }
}

export function isAlreadyThere({ look }: MigrationContext): boolean {
  return look !== null && runsAt(look);
}

/** The service runs at the destination already, and the source is not its owner. */
export function runsAt({ source, destination }: Pick<FirstLook, "source" | "destination">): boolean {
  if (destination?.service.state !== "running" || destination.open !== null) return false;
  return destination.ownership.role === "owner" && source?.ownership.role !== "owner";
}
