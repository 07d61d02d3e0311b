import { formatSize } from "../../units.js";
import type { Facts, Problem } from "../facts.js";

/** Page tables, CRIU itself, the daemon. */
export const slack = 64e6;

/** What the tree and its images take, bytes. Shared pages count once per process: an upper bound. */
export function treeSize(facts: Facts): number {
  return facts.source.status?.tree.reduce((sum, process) => sum + process.rss, 0) ?? 0;
}

/**
 * What the images take, bytes: the tree once, and with pre-copy about as much again for the rounds after the full one. The
 * daemons refuse the round that does not fit.
 */
export function imagesSize(facts: Facts): number {
  return (facts.migration.precopy === null ? 1 : 2) * treeSize(facts);
}

/** Images lie in memory where they fit, else in the state directory; the tree itself always needs memory. */
export function checkMemory(facts: Facts): Problem[] {
  const tree = treeSize(facts);
  if (tree === 0) return [];
  return [
    ...sourceRoom(facts),
    ...destinationMemory(facts, tree),
    ...destinationRoom(facts, tree),
    ...imageRoom(facts),
  ];
}

function sourceRoom(facts: Facts): Problem[] {
  const { source } = facts;
  const needed = imagesSize(facts) + slack;
  const memory = source.status?.memory;
  const inCgroup =
    memory === undefined || memory.cgroupLimit === null ? Infinity : memory.cgroupLimit - memory.cgroupUsed;
  const inMemory = Math.min(source.memoryAvailable, inCgroup);
  if (inMemory >= needed || source.state.free >= needed) return [];
  return [
    problem(
      source.node,
      `the checkpoint image needs ${formatSize(needed)} on ${source.node}, which has ${formatSize(inMemory)} of memory and ${formatSize(source.state.free)} of disk for it`,
      `free memory, or disk under /var/lib/fastmig, on ${source.node}`,
    ),
  ];
}

function destinationMemory({ service, destination }: Facts, tree: number): Problem[] {
  const problems: Problem[] = [];
  if (destination.memoryAvailable < tree + slack) {
    problems.push(
      problem(
        destination.node,
        `${destination.node} has ${formatSize(destination.memoryAvailable)} of memory available, the service needs ${formatSize(tree + slack)}`,
        `free memory on ${destination.node} or choose another node`,
      ),
    );
  }
  if (service.run.memory !== null && service.run.memory < tree + slack) {
    problems.push(
      problem(
        destination.node,
        `the service uses ${formatSize(tree)}, the plan's run.memory (${formatSize(service.run.memory)}) leaves no room for its restore (${formatSize(tree + slack)})`,
        "raise run.memory in the plan",
      ),
    );
  }
  return problems;
}

function destinationRoom(facts: Facts, tree: number): Problem[] {
  const { destination } = facts;
  const needed = imagesSize(facts) + slack;
  if (destination.memoryAvailable >= tree + needed || destination.state.free >= needed) return [];
  return [
    problem(
      destination.node,
      `${destination.node} has room for the checkpoint image (${formatSize(needed)}) neither in memory (${formatSize(destination.memoryAvailable)} available, the tree needs its part) nor on disk (${formatSize(destination.state.free)})`,
      `free memory, or disk under /var/lib/fastmig, on ${destination.node}`,
    ),
  ];
}

function imageRoom({ source, destination }: Facts): Problem[] {
  if (
    destination.imageId !== null ||
    "missing" in destination.engine ||
    source.container === null ||
    destination.storageFree >= source.imageSize
  )
    return [];
  return [
    problem(
      destination.node,
      `the container image (${formatSize(source.imageSize)}) does not fit on ${destination.node}, whose container storage has ${formatSize(destination.storageFree)} left`,
      `remove images or containers there (podman system prune)`,
    ),
  ];
}

function problem(node: string, message: string, hint: string): Problem {
  return { check: "memory", node, message, hint };
}
