import { run } from "../../remote/run.js";
import type { Facts, Problem } from "../facts.js";
import type { Site } from "../site.js";
import { preflightError } from "./problems.js";

/** Rootless Podman has its sockets, its state and its containers' user namespaces elsewhere: it is refused by name. */
export function checkRootless({ source, destination }: Facts): Problem[] {
  return [source, destination].flatMap(({ node, rootless }) =>
    rootless === null ? [] : [rootlessProblem(node, rootless)],
  );
}

/** Throws PREFLIGHT (exit 3) where a node's commands are not run as root; without it nothing there can be read or made. */
export async function refuseRootless(...sites: Site[]): Promise<void> {
  const problems = (await Promise.all(sites.map(rootlessAt))).flat();
  const [site] = sites;
  if (problems.length > 0 && site !== undefined) throw preflightError(site.service, problems);
}

async function rootlessAt(site: Site): Promise<Problem[]> {
  const node = await site.node();
  const uid = (await run(node, ["id", "-u"])).trim();
  return uid === "0" ? [] : [rootlessProblem(site.name, node.user)];
}

function rootlessProblem(node: string, user: string): Problem {
  return {
    check: "rootless",
    node,
    message: `commands on ${node} run as ${user}, and a user's own Podman (rootless) is not supported`,
    hint: `write \`sudo: true\` at the node ${node} in the plan, or log in as root`,
  };
}
