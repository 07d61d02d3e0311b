import type { Status } from "../daemon/api.js";
import { exitCodes, type ExitCode } from "../errors.js";

/** Where a service stands, as far as its two daemons say. Null: it did not answer. */
export interface Standing {
  owner: "source" | "destination" | "nobody" | "unknown";
  text: string;
}

export interface Ends {
  service: string;
  from: string;
  to: string;
}

export function standingOf(
  { service, from, to }: Ends,
  source: Status | null,
  destination: Status | null,
): Standing {
  if (destination !== null && isRunning(destination))
    return { owner: "destination", text: `${service} runs on ${to}` };
  if (source !== null && isRunning(source))
    return { owner: "source", text: `${service} serves on ${from} (epoch ${source.ownership.epoch})` };
  if (source === null)
    return { owner: "unknown", text: `${from} does not answer: nobody can say whether ${service} serves` };
  if (source.service.state === "held" || destination?.service.state === "held")
    return { owner: "unknown", text: `${service} is held by a migration, and serves nowhere` };
  const there =
    destination === null ? `${to} does not answer` : `nor on ${to} (${destination.service.state})`;
  return { owner: "nobody", text: `${service} does not run on ${from} (${source.service.state}), ${there}` };
}

function isRunning({ service, ownership }: Status): boolean {
  return service.state === "running" && ownership.role === "owner";
}

export interface Failed {
  /** The exit code of what was thrown. */
  thrown: ExitCode;
  /** The source was asked to switch over. */
  switching: boolean;
  /** A final step failed: the destination has executed. */
  final: boolean;
}

/** The exit code says what state the service is in, not which call failed. */
export function exitOf({ thrown, switching, final }: Failed, { owner }: Standing): ExitCode {
  if (final || thrown === exitCodes.inDoubt) return exitCodes.inDoubt;
  if (switching && owner !== "source") return exitCodes.inDoubt;
  if (thrown === exitCodes.interrupted || thrown === exitCodes.terminated) return thrown;
  if (!switching && [exitCodes.usage, exitCodes.preflight, exitCodes.locked].some((code) => code === thrown))
    return thrown;
  return owner === "source" ? exitCodes.rolledBack : exitCodes.unreachable;
}
