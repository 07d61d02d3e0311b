import type { Facts, Problem } from "../facts.js";
import { checkAgainstPlan } from "./compare.js";
import { checkClock } from "./clock.js";
import { checkCpu } from "./cpu.js";
import { checkCriu } from "./criu.js";
import { checkEngine } from "./engine.js";
import { checkFiles } from "./files.js";
import { checkMemory } from "./memory.js";
import { checkNames } from "./names.js";
import { checkOwnership } from "./ownership.js";
import { checkPreCopy } from "./pre-copy.js";
import { checkRootless } from "./rootless.js";
import { checkSameHost } from "./same-host.js";
import { checkService } from "./service.js";

export interface PreflightOptions {
  allowClockJump: boolean;
  /** The id of the migration that asks; its own lock is no problem. */
  id: string | null;
}

/** Every problem at once, in the order in which they are best solved. */
export function check(facts: Facts, options: PreflightOptions): Problem[] {
  const rootless = checkRootless(facts);
  // A user's own engine says nothing of the system's.
  const unusable = [...checkSameHost(facts), ...(rootless.length > 0 ? rootless : checkEngine(facts))];
  if (unusable.length > 0) return unusable;
  return [
    ...checkService(facts),
    ...checkOwnership(facts, options.id),
    ...checkAgainstPlan(facts),
    ...checkCriu(facts),
    ...checkCpu(facts),
    ...checkPreCopy(facts),
    ...checkNames(facts),
    ...checkFiles(facts),
    ...checkMemory(facts),
    ...checkClock(facts, options.allowClockJump),
  ];
}
