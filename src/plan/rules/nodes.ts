import type { PlanNode, Reach } from "../plan.js";
import { atValue, type Problem } from "../problem.js";
import { sound } from "./sound.js";
import type { Rule } from "./rules.js";

/** Two names for one machine: a migration between them would move a service onto itself. */
const sameMachineTwice: Rule = ({ nodes }) => {
  const seen = new Map<string, string>();
  return sound(nodes).flatMap((node) => {
    const first = seen.get(reachText(node.reach));
    seen.set(reachText(node.reach), first ?? node.name);
    return first === undefined ? [] : [twice(node, first)];
  });
};

function twice(node: PlanNode, first: string): Problem {
  return atValue(
    ["nodes", node.name, node.reach.kind],
    `is the machine of node ${first} too: ${reachText(node.reach)}`,
  );
}

function reachText(reach: Reach): string {
  return reach.kind === "ssh" ? `ssh ${reach.alias}` : `${reach.host.toLowerCase()} port ${reach.port}`;
}

export const nodeRules: readonly Rule[] = [sameMachineTwice];
