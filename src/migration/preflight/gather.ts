import * as podman from "../../remote/engine.js";
import { run } from "../../remote/run.js";
import { changesOf, inspectContainer, inspectImage } from "../containers.js";
import type { MigrationContext } from "../context.js";
import type { ContainerFacts, DestinationFacts, Facts, SourceFacts, UsedPort } from "../facts.js";
import { parseListening, parseNames, parsePublished } from "../podman-output.js";
import { openMigrationOf, ownershipOf } from "../state-files.js";
import type { Site } from "../site.js";
import { statusOf } from "../steps/connect.js";
import { engineFacts, gatherSystem, storageFree } from "./system.js";

/** Everything that preflight judges by. What does not depend on anything is asked at once: an engine's command takes its 100 ms. */
export async function gatherFacts(context: MigrationContext): Promise<Facts> {
  const { migration, service } = context;
  const container = inspectContainer(context.source, service.name);
  const [source, destination] = await Promise.all([
    gatherSource(context, container),
    gatherDestination(context, container),
  ]);
  if (destination.imageId !== null || source.container === null || "missing" in destination.engine)
    return { migration, service, source, destination };
  const [image, free] = await Promise.all([
    inspectImage(context.source, source.container.imageId),
    storageFree(context.destination),
  ]);
  return {
    migration,
    service,
    source: { ...source, imageSize: image?.size ?? 0 },
    destination: { ...destination, storageFree: free },
  };
}

async function gatherSource(
  { source, service }: MigrationContext,
  inspected: Promise<ContainerFacts | null>,
): Promise<SourceFacts> {
  const named = [...service.preserve, ...service.shared, ...service.leave];
  const [system, engine, status, changed] = await Promise.all([
    gatherSystem(source),
    engineFacts(source, inspected),
    statusOf(source),
    settled(changesOf(source, service.name, named)),
  ]);
  const container = "missing" in engine ? null : await inspected;
  const changes = container?.running === true ? await changed() : [];
  const imageId =
    container === null || container.imageName === service.image
      ? container?.imageId
      : (await inspectImage(source, service.image))?.id;
  return {
    ...system,
    engine,
    imageId: imageId ?? null,
    container,
    status: status.status,
    daemonError: status.error,
    changes,
    imageSize: 0,
    storageFree: 0,
  };
}

/** Whether its error counts is known only later. */
function settled<T>(work: Promise<T>): Promise<() => Promise<T>> {
  return work.then(
    (value) => () => Promise.resolve(value),
    (thrown: unknown) => () => Promise.reject(thrown),
  );
}

async function gatherDestination(
  { destination, service }: MigrationContext,
  inspected: Promise<ContainerFacts | null>,
): Promise<DestinationFacts> {
  const listed = listContainers(destination);
  const [system, engine, status, open, ownership, listening, image] = await Promise.all([
    gatherSystem(destination),
    engineFacts(destination, listed),
    statusOf(destination),
    openMigrationOf(destination),
    ownershipOf(destination),
    listeningPorts(destination),
    settled(inspected.then((container) => inspectImage(destination, container?.imageId ?? service.image))),
  ]);
  const facts = { ...system, status: status.status, open, ownership, storageFree: 0 };
  if ("missing" in engine) return { ...facts, engine, imageId: null, container: null, taken: listening };
  const { names, published } = await listed;
  const container = names.includes(service.name) ? await inspectContainer(destination, service.name) : null;
  return {
    ...facts,
    engine,
    imageId: (await image())?.id ?? null,
    container,
    taken: withoutDoubles(published, listening),
  };
}

async function listContainers(site: Site): Promise<{ names: string[]; published: UsedPort[] }> {
  const text = await run(await site.node(), podman.list());
  return { names: parseNames(text), published: parsePublished(text) };
}

/** Every port of a node that somebody has. */
export async function takenPorts(site: Site): Promise<UsedPort[]> {
  const [{ published }, listening] = await Promise.all([listContainers(site), listeningPorts(site)]);
  return withoutDoubles(published, listening);
}

/** Containers first: `ss` shows only the engine's proxy, or nothing, where a container has the port. */
function withoutDoubles(published: readonly UsedPort[], listening: readonly UsedPort[]): UsedPort[] {
  const isPublished = (port: UsedPort): boolean =>
    published.some((other) => other.port === port.port && other.protocol === port.protocol);
  return [...published, ...listening.filter((port) => !isPublished(port))];
}

/** Without `ss` (iproute2) the engine's own list has to do; a clash then shows when the standby is made. */
async function listeningPorts(site: Site): Promise<UsedPort[]> {
  const outcome = await (await site.node()).exec(["ss", "-Hlntup"]);
  return outcome.kind === "exited" && outcome.code === 0 ? parseListening(outcome.stdout) : [];
}
