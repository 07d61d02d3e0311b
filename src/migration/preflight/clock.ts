import type { Facts, Problem } from "../facts.js";

/** Both uptimes are asked at once, but not at the same instant. */
const toleranceMs = 2000;

/** How far CLOCK_MONOTONIC would jump back; 0 where it does not. */
export function backwardJump(sourceUptime: number, destinationUptime: number): number {
  const jump = sourceUptime - destinationUptime;
  return jump > toleranceMs ? jump : 0;
}

/** A process that is restored where CLOCK_MONOTONIC is lower sleeps on towards its old deadline, for as long as the difference is. */
export function checkClock({ source, destination }: Facts, allowClockJump: boolean): Problem[] {
  const jump = backwardJump(source.uptime, destination.uptime);
  if (jump === 0 || allowClockJump) return [];
  return [
    {
      check: "clock",
      node: destination.node,
      message: `${destination.node} has been up ${seconds(jump)} s less than ${source.node}: the service's monotonic clock would jump back, and its timers would wait that much longer`,
      hint: "migrate to a node that has been up longer, or accept the jump with --allow-clock-jump",
    },
  ];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}
