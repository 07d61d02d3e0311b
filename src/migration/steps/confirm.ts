import { messageOf } from "../../errors.js";
import { inspectContainer } from "../containers.js";
import type { MigrationContext } from "../context.js";
import type { Site } from "../site.js";
import type { Step } from "../step.js";
import { lastViews } from "../watch.js";
import { buryByHand, createState, verdictOf } from "../state-files.js";

/** Both daemons close the migration: images and locks go, the ownership stands. */
export const confirm: Step<MigrationContext> = {
  name: "confirm",
  title: "Confirm at both ends",
  kind: "final",
  run: async (context) => {
    context.views ??= await lastViews(context);
    await Promise.all([context.destination, context.source].map((site) => confirmAt(context, site)));
  },
};

async function confirmAt(context: MigrationContext, site: Site): Promise<void> {
  try {
    await (await site.daemon()).confirm(context.id);
  } catch (thrown) {
    if (site === context.source && (await closedByHand(context).catch(() => false))) return;
    context.warnings.push(
      `the migration is not closed on ${site.name} (${messageOf(thrown)}): \`fastmig resume ${context.id}\` closes it`,
    );
  }
}

/** A source whose container is stopped has no daemon that could close it. The destination runs: where there is no verdict yet, it is `released`. */
async function closedByHand({ source, service, id, epoch }: MigrationContext): Promise<boolean> {
  const container = await inspectContainer(source, service.name);
  if (container?.running === true) return false;
  await createState(source, `migrations/${id}/verdict`, "released\n");
  if ((await verdictOf(source, id)) !== "released") return false;
  await buryByHand(source, id, epoch);
  return true;
}
