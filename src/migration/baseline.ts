import { instructionsOf, instructionsOfLevel, type Processor } from "../instructions.js";
import type { CpuBaseline } from "../plan/plan.js";

/**
 * The instructions that a service may use: of those that the node has on which it starts, what the level holds, or what
 * the other nodes have too.
 */
export function allowedInstructions(
  baseline: CpuBaseline,
  on: Processor,
  others: readonly Processor[],
): string[] {
  const has = instructionsOf(on.features);
  if (baseline !== "auto") {
    const level = instructionsOfLevel(baseline);
    return has.filter((instruction) => level.includes(instruction));
  }
  return has.filter((instruction) => others.every(({ features }) => features.includes(instruction)));
}
