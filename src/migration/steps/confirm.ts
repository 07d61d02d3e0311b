import { messageOf } from "../../errors.js";
import type { MigrationContext } from "../context.js";
import type { Site } from "../site.js";
import type { Step } from "../step.js";
import { see } from "../see.js";

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
    context.warnings.push(
      `the migration is not closed on ${site.name} (${messageOf(thrown)}): \`fastmig resume ${context.id}\` closes it`,
    );
  }
}

async function lastViews({ source, destination, id }: MigrationContext): Promise<MigrationContext["views"]> {
  const [theirs, ours] = await Promise.all([see(source, id), see(destination, id)]);
  return typeof theirs === "string" || typeof ours === "string"
    ? null
    : { source: theirs, destination: ours };
}
