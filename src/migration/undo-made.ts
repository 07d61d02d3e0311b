import type { MigrationContext } from "./context.js";
import { inspectContainer, removeImage } from "./containers.js";
import { messageOf } from "../errors.js";
import * as podman from "../remote/engine.js";
import { run } from "../remote/run.js";
import { statusOf } from "./steps/connect.js";
import { open } from "./steps/open.js";

/**
 * Removes what the journal says that this migration made, the last first, after the source was found to have the service.
 * Answers what was found; a node that does not answer is a line, not an error.
 */
export async function undoWhatWasMade(context: MigrationContext): Promise<string[]> {
  const made = (context.journal?.entries ?? []).filter((entry) => entry.kind === "made");
  const found: string[] = [];
  if (made.some(({ what }) => what === "standby"))
    found.push(await attempt("standby", () => removeStandby(context)));
  for (const { what, name } of made)
    if (what === "image") found.push(await attempt("image", () => removeImage(context.destination, name)));
  if (made.some(({ what }) => what === "open"))
    found.push(await attempt("open", () => open.undo?.(context) ?? Promise.resolve("")));
  return found;
}

async function attempt(what: string, undo: () => Promise<string>): Promise<string> {
  return undo().then(
    (found) => `${what}: ${found}`,
    (thrown: unknown) => `${what}: not undone: ${messageOf(thrown)}`,
  );
}

/** Only a container whose daemon has no service: it may have become something else since. */
async function removeStandby({ destination, service }: MigrationContext): Promise<string> {
  const container = await inspectContainer(destination, service.name);
  if (container === null) return `there is no standby on ${destination.name}`;
  const { status } = await statusOf(destination);
  if (container.labels["io.fastmig.service"] !== service.name || status?.service.state === "running")
    return `the container ${service.name} on ${destination.name} is left as it is`;
  await run(await destination.node(), podman.remove(service.name));
  return `the standby is removed from ${destination.name}`;
}
