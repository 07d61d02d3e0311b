import { pause } from "../../wait.js";
import { readStat, type ProcessId, type ProcessStat } from "../procfs.js";
import type { Service } from "../service.js";

/** Milliseconds in which whoever traced the tree has let it go, or never will. */
const patience = 5000;

/** Whether the service goes on: its root is there, and nobody holds any of its tree stopped. In words, for a failure. */
export async function describeLife(
  service: Pick<Service, "tree">,
  root: ProcessId | undefined,
): Promise<string> {
  const end = performance.now() + patience;
  for (;;) {
    const tree = await service.tree();
    const gone = root === undefined || (await readStat(root.pid))?.startTicks !== root.startTicks;
    if (gone) return "the service is gone";
    const traced = tree.filter(isTraced);
    if (traced.length === 0) return `the service goes on (processes: ${tree.length})`;
    if (performance.now() >= end) return `still stopped by a tracer: ${pids(traced)}`;
    await pause(20);
  }
}

/** `t`: stopped by a tracer. `T` is the service's own affair: a job that was stopped by a signal. */
function isTraced({ state }: ProcessStat): boolean {
  return state === "t";
}

function pids(stats: readonly ProcessStat[]): string {
  return stats.map(({ pid }) => pid).join(", ");
}
