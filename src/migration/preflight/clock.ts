import type { Status } from "../../daemon/api.js";
import type { Facts, Problem } from "../facts.js";

/** Both uptimes are asked at once, but not at the same instant. */
const toleranceMs = 2000;

/** A node and how long it, or the service's container on it, has been up, in ms. */
export interface Up {
  node: string;
  uptime: number;
}

/**
 * A process that is restored where CLOCK_MONOTONIC is lower sleeps on towards its old deadline, for as long as the difference is:
 * one that goes by its host's clocks. The others' go on where they stopped.
 */
export function clockProblems(from: Up, to: Up, tree: Status["tree"] | undefined): Problem[] {
  const jump = from.uptime - to.uptime;
  const bound = tree?.filter(({ clocks }) => clocks === "host").map(({ pid, name }) => `${pid} (${name})`);
  if (jump <= toleranceMs || bound?.length === 0) return [];
  return [
    {
      check: "clock",
      node: to.node,
      message:
        `${to.node} has been up ${(jump / 1000).toFixed(0)} s less than ${from.node}: the monotonic clock of ` +
        `${bound === undefined ? "the service" : inWords(bound)} would jump back, and its timers would wait that much longer`,
      hint: "see virtualTime in docs/plan.md for what keeps a clock going; or migrate to a node that has been up longer, or accept the jump with --allow-clock-jump",
    },
  ];
}

/** As many as are read. */
function inWords(processes: readonly string[]): string {
  const shown = processes.slice(0, 3).join(", ");
  const rest = processes.length > 3 ? ` and ${processes.length - 3} more` : "";
  return `${processes.length === 1 ? "process" : "processes"} ${shown}${rest}`;
}

export function checkClock({ source, destination }: Facts, allowClockJump: boolean): Problem[] {
  return allowClockJump ? [] : clockProblems(source, destination, source.status?.tree);
}
