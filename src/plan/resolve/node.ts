import { defaults } from "../defaults.js";
import { readPortRange } from "../forms/ports.js";
import type { PlanNode, Reach } from "../plan.js";
import type { WrittenNode } from "../schema/node.js";

export function resolveNode(name: string, written: WrittenNode): PlanNode {
  return {
    name,
    reach: reachOf(written),
    address: written.address ?? written.host ?? null,
    sudo: written.sudo ?? false,
    engine: written.engine ?? defaults.engine,
    transferPorts: written.transferPorts === undefined ? null : readPortRange(written.transferPorts),
  };
}

function reachOf({ host, ssh, user, port }: WrittenNode): Reach {
  if (host !== undefined) return { kind: "host", host, user: user ?? null, port: port ?? defaults.sshPort };
  if (ssh !== undefined) return { kind: "ssh", alias: ssh };
  throw new Error("a node without host and ssh has passed its schema");
}
