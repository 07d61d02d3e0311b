import { formatSize } from "../../units.js";
import type { Facts, Problem } from "../facts.js";
import { slack, treeSize } from "./memory.js";

/**
 * What several migrations need that one alone does not show: those to one node need its memory together, since what
 * arrived stays. What leaves the node is not counted: it may leave later. Each of them gets the problem.
 */
export function checkTogether(all: readonly Facts[]): Map<Facts, Problem[]> {
  const arriving = Map.groupBy(all, ({ destination }) => destination.node);
  const problems = [...arriving.values()].flatMap((facts) => {
    const problem = memoryProblem(facts);
    return problem === null ? [] : facts.map((one): [Facts, Problem[]] => [one, [problem]]);
  });
  return new Map(problems);
}

function memoryProblem(facts: readonly Facts[]): Problem | null {
  const [first] = facts;
  if (first === undefined || facts.length === 1) return null;
  const { node, memoryAvailable } = first.destination;
  const needs = facts.map((one) => ({ name: one.service.name, size: treeSize(one) + slack }));
  const sum = needs.reduce((total, { size }) => total + size, 0);
  if (sum <= memoryAvailable) return null;
  return {
    check: "memory",
    node,
    message: `${node} has ${formatSize(memoryAvailable)} of memory available, the ${facts.length} services that go there need ${formatSize(sum)} (${needs.map(({ name, size }) => `${name} ${formatSize(size)}`).join(", ")})`,
    hint: `free memory on ${node}, or send some of them elsewhere`,
  };
}
