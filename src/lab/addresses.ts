import { networkInterfaces } from "node:os";
import { FastmigError, exitCodes } from "../errors.js";
import { shortHash } from "./paths.js";

/** Ports of the switch that are no nodes. */
const reserved = ["controller", "client", "switch", "lo", "bridge"];

export function checkNodeNames(names: readonly string[]): void {
  const bad = names.find((name) => !/^[a-z][a-z0-9-]{0,11}$/.test(name) || reserved.includes(name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (names.length === 0) throw usage("a lab needs at least one node");
  if (bad !== undefined) {
    throw usage(
      `"${bad}" is no name for a node: at most 12 of a-z, 0-9 and -, a letter first, none of ${reserved.join(", ")}`,
    );
  }
  if (twice !== undefined) throw usage(`node "${twice}" is named twice`);
}

function usage(message: string): FastmigError {
  return new FastmigError(message, { code: "LAB_NODES", exit: exitCodes.usage });
}

export const controllerAddress = (network: string): string => `${network}.1`;
export const clientAddress = (network: string): string => `${network}.2`;

/** The first free address for a node; the ones in use stay with their nodes. */
export function nodeAddress(network: string, taken: readonly string[]): string {
  for (let host = 11; host < 100; host += 1) {
    const address = `${network}.${host}`;
    if (!taken.includes(address)) return address;
  }
  throw usage("a lab holds at most 89 nodes");
}

/** A network `10.77.x` that nobody on this machine uses: the lab's name says where the search starts. */
export function freeNetwork(id: string, used: readonly string[]): string {
  const first = Number.parseInt(shortHash(id, 4), 16);
  for (let step = 0; step < 256; step += 1) {
    const network = `10.77.${(first + step) % 256}`;
    if (!used.some((address) => address.startsWith(`${network}.`))) return network;
  }
  throw new FastmigError("every network of 10.77.0.0/16 is in use on this machine", {
    code: "LAB_NETWORK",
    exit: exitCodes.preflight,
    hint: "`fastmig lab down --name NAME` ends a lab that is no longer needed",
  });
}

export function usedAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map((one) => one.address));
}
