import * as podman from "../remote/engine.js";
import { commandFailed, run } from "../remote/run.js";
import type { ContainerFacts, FileChange } from "./facts.js";
import { changedPaths, parseDiff, parseImage, parseInspect, type ImageFacts } from "./podman-output.js";
import { unnamedChanges } from "./preflight/file-changes.js";
import type { Site } from "./site.js";

/** A container of a node, or null where there is none of that name. */
export async function inspectContainer(site: Site, name: string): Promise<ContainerFacts | null> {
  const text = await runOrNothing(site, podman.inspect(name));
  return text === null ? null : parseInspect(text);
}

export async function inspectImage(site: Site, reference: string): Promise<ImageFacts | null> {
  const text = await runOrNothing(site, podman.imageInspect(reference));
  return text === null ? null : parseImage(text);
}

/** What was written in a container since it was made. Only what may matter is asked whether it is a directory. */
export async function changesOf(site: Site, name: string, named: readonly string[]): Promise<FileChange[]> {
  const node = await site.node();
  const json = await run(node, podman.diff(name));
  const changes = parseDiff(json, new Set());
  const doubtful = unnamedChanges(changes, [], named)
    .map(({ path }) => path)
    .filter((path) => changedPaths(json).includes(path));
  if (doubtful.length === 0) return changes;
  const directories = await run(node, podman.exec(name, ["sh", "-c", isDirectory, "sh", ...doubtful]));
  return parseDiff(json, new Set(directories.split("\n")));
}

const isDirectory = `for path; do [ -d "$path" ] && [ ! -L "$path" ] && printf '%s\\n' "$path"; done; exit 0`;

/** `podman rmi` says so where a container has the image. */
const imageInUse = 2;

/** Takes an image away that was brought there; one that something uses meanwhile stays. Answers what was found. */
export async function removeImage(site: Site, id: string): Promise<string> {
  if ((await inspectImage(site, id)) === null) return `the image is not on ${site.name}`;
  const node = await site.node();
  const argv = podman.imageRemove(id);
  const outcome = await node.exec(argv);
  if (outcome.kind === "exited" && outcome.code === 0) return `the image is removed from ${site.name}`;
  if (outcome.kind === "exited" && outcome.code === imageInUse)
    return `another container on ${site.name} uses the image: it stays`;
  throw commandFailed(node, argv, outcome);
}

/** Podman's exit code 125 with its "no such" is the answer that there is none; everything else is an error. */
async function runOrNothing(site: Site, argv: readonly string[]): Promise<string | null> {
  const node = await site.node();
  const outcome = await node.exec(argv);
  if (outcome.kind === "exited" && outcome.code === 0) return outcome.stdout;
  if (
    outcome.kind === "exited" &&
    /no such (container|object|image)|image not known|no container with name/i.test(outcome.stderr)
  )
    return null;
  throw commandFailed(node, argv, outcome);
}
