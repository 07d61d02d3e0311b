/** Which migrations of a plan run side by side: a pure choice and the small loop around it. */
export interface Job {
  name: string;
  /** The nodes that it touches. */
  nodes: readonly string[];
}

export interface Limits {
  /** Jobs at once. */
  parallel: number;
  /** Jobs at once that touch the same node. */
  perNode: number;
}

/** The first waiting jobs that may start now, in their order; a job that has to wait does not hold up a later one. */
export function startable<J extends Job>(waiting: readonly J[], running: readonly J[], limits: Limits): J[] {
  const chosen: J[] = [];
  for (const job of waiting) {
    const beside = [...running, ...chosen];
    if (beside.length < limits.parallel && job.nodes.every((node) => load(beside, node) < limits.perNode))
      chosen.push(job);
  }
  return chosen;
}

function load(jobs: readonly Job[], node: string): number {
  return jobs.filter((job) => job.nodes.includes(node)).length;
}

export interface RunOptions extends Limits {
  onFailure: "stop" | "continue";
}

export type JobResult<J, R> = { job: J; ran: true; result: R } | { job: J; ran: false };

/**
 * Runs every job within the limits and answers in the jobs' order. `stop` starts no further job after one that failed;
 * those that run are left to end.
 */
export async function runJobs<J extends Job, R>(
  jobs: readonly J[],
  options: RunOptions,
  run: (job: J) => Promise<R>,
  failed: (result: R) => boolean,
): Promise<JobResult<J, R>[]> {
  const results = new Map<J, R>();
  const running = new Map<J, Promise<void>>();
  let waiting = [...jobs];
  while (waiting.length > 0 || running.size > 0) {
    const chosen = startable(waiting, [...running.keys()], options);
    waiting = waiting.filter((job) => !chosen.includes(job));
    for (const job of chosen)
      running.set(
        job,
        run(job)
          .then((result) => void results.set(job, result))
          .finally(() => running.delete(job)),
      );
    if (running.size === 0) break;
    await Promise.race(running.values());
    if (options.onFailure === "stop" && [...results.values()].some(failed)) waiting = [];
  }
  return jobs.map((job) =>
    results.has(job) ? { job, ran: true, result: results.get(job) as R } : { job, ran: false },
  );
}
