import { hintFor } from "../../criu/hints.js";
import { quoteErrors } from "../../criu/log.js";
import type { Failure } from "../api.js";
import type { ProcessEnd } from "../init-client.js";
import { describeEnd } from "../processes.js";

/**
 * What a user is told of a CRIU run that failed: how it ended, its log around each error, what to do.
 * @param why what it was ended for, where that was done.
 */
export function criuFailure(
  step: "round" | "dump" | "restore" | "resume",
  end: ProcessEnd | null,
  log: string,
  why: string | null = null,
): Failure {
  const verbs = { round: "pre-dump", dump: "dump", restore: "restore", resume: "restore" };
  return {
    step,
    message: `criu ${verbs[step]} ${why ?? describeEnd(end)}`,
    log: [...quoteErrors(log)],
    hint: hintFor(log) ?? null,
  };
}

/** CRIU ended while the tree was held: the hook gave up at the end of the lease, or CRIU was killed there. */
export function leaseFailure(end: ProcessEnd | null): Failure {
  return {
    step: "lease",
    message: `the lease ended before the destination was ready (criu dump ${describeEnd(end)}): the service goes on here`,
    log: [],
    hint: "look at the link between the nodes, or raise `lease` in the plan",
  };
}
