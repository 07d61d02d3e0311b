import type { Argv } from "../argv.js";
import { inNetwork } from "./namespaces.js";
import { switchName } from "./network.js";
import { attempt, run } from "./run.js";
import { writeState, type LabState } from "./state.js";

/**
 * A token bucket of `rate` bytes per second. The bucket holds 4 ms of it and at least two of the kernel's
 * 64 kB packets; the queue 20 ms, so that a full link delays what shares it like a good switch does.
 */
export function bucket(device: string, rate: number): Argv {
  const burst = Math.max(128 << 10, Math.ceil(rate / 250));
  const limit = burst + Math.max(128 << 10, Math.ceil(rate / 50));
  const size = ["rate", `${Math.round(rate * 8)}bit`, "burst", String(burst), "limit", String(limit)];
  return ["tc", "qdisc", "replace", "dev", device, "root", "tbf", ...size];
}

/** Gives every node's link a rate, each way; null lifts it. Works on a running lab. */
export async function setRate(state: LabState, rate: number | null): Promise<LabState> {
  const shaped = { ...state, rate };
  for (const node of shaped.nodes) await shapeLink(shaped, node.name);
  await writeState(shaped);
  return shaped;
}

/** From the node its own end of the link is shaped, towards it the switch's. */
export async function shapeLink(state: LabState, node: string): Promise<void> {
  await shapeEnd(state, node, "eth0");
  await shapeEnd(state, switchName, node);
}

async function shapeEnd(state: LabState, namespace: string, device: string): Promise<void> {
  if (state.rate !== null) await run(inNetwork(state, namespace, bucket(device, state.rate)));
  else await attempt(inNetwork(state, namespace, ["tc", "qdisc", "del", "dev", device, "root"]));
}
