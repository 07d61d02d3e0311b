import type { PlanNode, PlanService, PublishedPort } from "../plan.js";
import { atValue, type Problem } from "../problem.js";
import type { Rule } from "./rules.js";
import { sound, soundMigrations } from "./sound.js";

interface Published {
  service: string;
  index: number;
  port: PublishedPort;
}

function publishedBy(service: PlanService): Published[] {
  return service.run.publish.map((port, index) => ({ service: service.name, index, port }));
}

function at({ service, index }: Published, message: string): Problem {
  return atValue(["services", service, "run", "publish", index], message);
}

function collide(one: PublishedPort, other: PublishedPort): boolean {
  const sameAddress = one.ip === null || other.ip === null || one.ip === other.ip;
  return one.hostPort === other.hostPort && one.protocol === other.protocol && sameAddress;
}

/** The later of each two ports that cannot be published on one node. */
function collisions(published: readonly Published[], where: string): Problem[] {
  return published.flatMap((later, index) => {
    const earlier = published.slice(0, index).find((one) => collide(one.port, later.port));
    if (earlier === undefined) return [];
    return [
      at(
        later,
        `${later.port.hostPort}/${later.port.protocol} is published by ${earlier.service} already${where}`,
      ),
    ];
  });
}

const onceInService: Rule = ({ services }) =>
  sound(services).flatMap((service) => collisions(publishedBy(service), ""));

const onceAtDestination: Rule = ({ nodes, services, migrations }) =>
  [...nodes.keys()].flatMap((node) => {
    const arriving = soundMigrations(migrations).filter(([, { to }]) => to === node);
    const names = new Set(arriving.map(([, { service }]) => service));
    const between = sound(services)
      .filter(({ name }) => names.has(name))
      .map(publishedBy);
    const alone = new Set(between.flatMap((ports) => collisions(ports, "")).map(({ path }) => path.join()));
    return collisions(between.flat(), `, which moves to node ${node} too`).filter(
      ({ path }) => !alone.has(path.join()),
    );
  });

const notTransferPorts: Rule = ({ nodes, services, migrations }) =>
  soundMigrations(migrations).flatMap(([, { service, from, to }]) =>
    [from, to].flatMap((name) => rangeProblems(nodes.get(name), services.get(service))),
  );

function rangeProblems(
  node: PlanNode | null | undefined,
  service: PlanService | null | undefined,
): Problem[] {
  const range = node?.transferPorts;
  if (!node || !service || !range) return [];
  return publishedBy(service)
    .filter(
      ({ port }) => port.protocol === "tcp" && port.hostPort >= range.first && port.hostPort <= range.last,
    )
    .map((published) =>
      at(published, `${published.port.hostPort} is one of node ${node.name}'s transferPorts`),
    );
}

export const portRules: readonly Rule[] = [onceInService, onceAtDestination, notTransferPorts];
