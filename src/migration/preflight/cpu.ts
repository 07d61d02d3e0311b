import { instructionsOf } from "../../instructions.js";
import type { Facts, Problem } from "../facts.js";

/**
 * A program chooses its instructions when it starts: what it found then it goes on using at the destination. One that was
 * started with a baseline found no more than that has.
 */
export function checkCpu({ service, source, destination }: Facts): Problem[] {
  const baseline = source.status?.ownership.service?.instructions;
  const there = new Set(destination.processor.features);
  const used = baseline ?? instructionsOf(source.processor.features);
  const missing = used.filter((instruction) => !there.has(instruction));
  if (missing.length === 0) return [];
  const lacking = `${destination.node}'s processor (${destination.processor.model}) lacks`;
  const whose =
    baseline === undefined
      ? `what ${source.node}'s (${source.processor.model}) has, and ${service.name} may be using`
      : `what ${service.name} was started to use`;
  return [
    {
      check: "cpu",
      node: destination.node,
      message: `${lacking} ${whose}: ${missing.join(", ")}`,
      hint: "migrate to a node with the same or a newer processor; started with a `cpuBaseline`, a service uses what all its nodes have",
    },
  ];
}
