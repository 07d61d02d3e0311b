import type { OpenMigration } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import { holder } from "./preflight/ownership.js";

/** What a node of the plan says of a service. */
export interface NodeReport {
  node: string;
  epoch: number;
  owner: boolean;
  runs: boolean;
  /** A container of the service's name is there, running or not. */
  container: boolean;
  open: OpenMigration | null;
}

export type StartDecision = { kind: "start"; epoch: number } | { kind: "runs already"; epoch: number };

/** Whether `on` may run the service from scratch. Throws where another node has it, may bring it back, or a migration is open. */
export function decideStart(service: string, on: string, reports: readonly NodeReport[]): StartDecision {
  const here = reports.find(({ node }) => node === on);
  const others = reports.filter(({ node }) => node !== on);
  for (const { node, open } of reports)
    if (open !== null)
      throw refuse(
        "LOCKED",
        exitCodes.locked,
        `a migration of ${service} is open on ${node}: ${holder(open)}`,
        `\`fastmig resume ${open.id}\` or \`fastmig abort ${open.id}\` first`,
      );
  const running = others.find(({ runs }) => runs);
  if (running !== undefined)
    throw refuse(
      "RUNS_ELSEWHERE",
      exitCodes.preflight,
      `${service} runs on ${running.node} (epoch ${running.epoch})`,
      `to move it, migrate it from ${running.node} to ${on}`,
    );
  const newer = others.find(
    ({ owner, epoch, container }) => owner && container && epoch > (here?.epoch ?? 0),
  );
  if (newer !== undefined)
    throw refuse(
      "NEWER_ELSEWHERE",
      exitCodes.preflight,
      `${newer.node} owns ${service} at epoch ${newer.epoch}, newer than ${on}'s, and its container could start again`,
      `start it there (--on ${newer.node}), or remove that container first: podman rm ${service}`,
    );
  if (here?.runs === true) return { kind: "runs already", epoch: here.epoch };
  return { kind: "start", epoch: 1 + Math.max(0, ...reports.map(({ epoch }) => epoch)) };
}

function refuse(code: string, exit: FastmigError["exit"], message: string, hint: string): FastmigError {
  return new FastmigError(message, { code, exit, hint });
}
