import type { PublishedPort } from "../../plan/plan.js";
import type { Facts, Problem, UsedPort } from "../facts.js";

/** The container's name and the service's ports are free at the destination, or taken by a standby of this very service. */
export function checkNames(facts: Facts): Problem[] {
  return [...nameProblems(facts), ...facts.service.run.publish.flatMap((port) => portProblems(facts, port))];
}

/** A standby that `fastmig standby` made for the same run, with its daemon waiting: it is used. */
export function isReusable({ destination, service }: Facts, spec: string): boolean {
  const { container, status } = destination;
  return (
    container !== null &&
    container.labels["io.fastmig.service"] === service.name &&
    container.labels["io.fastmig.spec"] === spec &&
    status?.service.state === "standby"
  );
}

function nameProblems({ destination, source, service }: Facts): Problem[] {
  const { container, status, node } = destination;
  if (container === null) return [];
  const mine = container.labels["io.fastmig.service"] === service.name;
  if (!mine)
    return [
      problem(
        node,
        `the name ${service.name} is taken on ${node} by a container that is not fastmig's (${container.id.slice(0, 12)}, ${container.imageName})`,
        `rename or remove it there: podman rename ${service.name} NEW-NAME`,
      ),
    ];
  if (status?.service.state === "running")
    return [
      problem(
        node,
        `${service.name} runs on ${node} already (epoch ${status.ownership.epoch})`,
        "`fastmig status PLAN` shows where it is; correct `from` and `to` in the plan",
      ),
    ];
  if (status?.service.state !== "standby")
    return [
      problem(
        node,
        `an older container ${service.name} is on ${node} (${container.running ? (status?.service.state ?? "its daemon does not answer") : "stopped"})`,
        `look at it, then remove it there: podman rm -f ${service.name}`,
      ),
    ];
  const [theirs, ours] = [container.labels["io.fastmig.spec"], source.container?.labels["io.fastmig.spec"]];
  return theirs === ours
    ? []
    : [
        problem(
          node,
          `the standby of ${service.name} on ${node} was made from another plan than the running container`,
          `remove it there: podman rm -f ${service.name}`,
        ),
      ];
}

function portProblems({ destination, service }: Facts, wanted: PublishedPort): Problem[] {
  const user = destination.taken.find((port) => port.by !== service.name && clashes(port, wanted));
  if (user === undefined) return [];
  return [
    problem(
      destination.node,
      `port ${wanted.hostPort}/${wanted.protocol} is taken on ${destination.node} by ${user.by}`,
      `stop ${user.by} there, or publish another port`,
    ),
  ];
}

function clashes(used: UsedPort, wanted: PublishedPort): boolean {
  const sameAddress = used.ip === null || wanted.ip === null || used.ip === wanted.ip;
  return sameAddress && used.port === wanted.hostPort && used.protocol === wanted.protocol;
}

function problem(node: string, message: string, hint: string): Problem {
  return { check: "names", node, message, hint };
}
