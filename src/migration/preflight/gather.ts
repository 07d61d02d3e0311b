import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import { changesOf, inspectContainer, inspectImage } from "../containers.js";
import type { MigrationContext } from "../context.js";
import type { ContainerFacts, DestinationFacts, Facts, SourceFacts, UsedPort } from "../facts.js";
import { parseListening, parsePublished } from "../podman-output.js";
import { openMigrationOf, ownershipOf } from "../state-files.js";
import type { Site } from "../site.js";
import { statusOf } from "../steps/connect.js";
import { gatherSystem } from "./system.js";

/** Everything that preflight judges by, in a few commands side by side on each node. */
export async function gatherFacts(context: MigrationContext): Promise<Facts> {
  const { migration, service } = context;
  const [systems, container] = await Promise.all([
    Promise.all([gatherSystem(context.source), gatherSystem(context.destination)]),
    containerIfPossible(context.source),
  ]);
  const [source, destination] = await Promise.all([
    gatherSource(context, systems[0], container),
    gatherDestination(context, systems[1], container),
  ]);
  return { migration, service, source, destination };
}

type System = Awaited<ReturnType<typeof gatherSystem>>;

/** Without an engine there is no container to see; the engine's own finding says why. */
async function containerIfPossible(site: Site): Promise<ContainerFacts | null> {
  return inspectContainer(site, site.service).catch(() => null);
}

async function gatherSource(
  { source, service }: MigrationContext,
  system: System,
  container: ContainerFacts | null,
): Promise<SourceFacts> {
  if ("missing" in system.engine)
    return {
      ...system,
      imageId: null,
      container: null,
      status: null,
      daemonError: null,
      changes: [],
      imageSize: 0,
    };
  const named = [...service.preserve, ...service.shared, ...service.leave];
  const [planned, size, { status, error }, changes] = await Promise.all([
    inspectImage(source, service.image),
    container === null ? null : inspectImage(source, container.imageId),
    statusOf(source),
    container?.running === true ? changesOf(source, service.name, named) : [],
  ]);
  return {
    ...system,
    imageId: planned?.id ?? null,
    container,
    status,
    daemonError: error,
    changes,
    imageSize: size?.size ?? 0,
  };
}

async function gatherDestination(
  { destination, service }: MigrationContext,
  system: System,
  source: ContainerFacts | null,
): Promise<DestinationFacts> {
  if ("missing" in system.engine)
    return {
      ...system,
      imageId: null,
      container: null,
      status: null,
      open: null,
      ownership: null,
      taken: [],
    };
  const [container, image, { status }, open, ownership, taken] = await Promise.all([
    inspectContainer(destination, service.name),
    inspectImage(destination, source?.imageId ?? service.image),
    statusOf(destination),
    openMigrationOf(destination),
    ownershipOf(destination),
    takenPorts(destination),
  ]);
  return { ...system, imageId: image?.id ?? null, container, status, open, ownership, taken };
}

/** Containers first: `ss` shows only the engine's proxy, or nothing, where a container has the port. */
export async function takenPorts(site: Site): Promise<UsedPort[]> {
  const node = await site.node();
  const [published, listening] = await Promise.all([
    run(node, podman.list()).then(parsePublished),
    listeningPorts(site),
  ]);
  return [
    ...published,
    ...listening.filter(
      (port) => !published.some((other) => other.port === port.port && other.protocol === port.protocol),
    ),
  ];
}

/** Without `ss` (iproute2) the engine's own list has to do; a clash then shows when the standby is made. */
async function listeningPorts(site: Site): Promise<UsedPort[]> {
  const outcome = await (await site.node()).exec(["ss", "-Hlntup"]);
  return outcome.kind === "exited" && outcome.code === 0 ? parseListening(outcome.stdout) : [];
}
