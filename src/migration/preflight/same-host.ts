import type { Facts, Problem } from "../facts.js";

export function checkSameHost({ source, destination }: Facts): Problem[] {
  const shared = source.identities.find((identity) => destination.identities.includes(identity));
  if (shared === undefined) return [];
  return [
    {
      check: "same-host",
      node: destination.node,
      message: `${source.node} and ${destination.node} are the same machine (both show ${shared})`,
      hint: "give the two nodes different hosts; machines cloned from one image need their own host keys (ssh-keygen -A)",
    },
  ];
}
