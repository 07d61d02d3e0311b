import { isDeepStrictEqual } from "node:util";
import type { PublishedPort, Volume } from "../../plan/plan.js";
import type { ContainerFacts, Facts, MountFacts, Problem, UsedPort } from "../facts.js";

/** The destination's container is made from the plan: what runs has to be what the plan says. */
export function checkAgainstPlan(facts: Facts): Problem[] {
  const differences = [...containerDifferences(facts), ...specDifferences(facts)];
  return differences.map((difference) => ({
    check: "plan",
    node: facts.source.node,
    message: `${facts.service.name} runs otherwise than the plan says: ${difference}`,
    hint: "correct the plan, or stop the service and start it as the plan has it",
  }));
}

function specDifferences({ source, service }: Facts): string[] {
  const spec = source.status?.ownership.service;
  if (spec === null || spec === undefined) return [];
  return [
    ...differ("command", spec.command, service.command),
    ...differ("env", sorted(spec.env), sorted(service.env)),
    ...(service.user === null ? [] : differ("user", spec.user, service.user)),
    ...(service.workdir === null ? [] : differ("workdir", spec.workdir, service.workdir)),
  ];
}

function containerDifferences({ source, service }: Facts): string[] {
  const { container } = source;
  if (container === null) return [];
  const { run } = service;
  return [
    ...imageDifference(container, service.image, source.imageId),
    ...differ(
      "run.publish",
      withoutTransfer(container.publish, run.publish),
      run.publish.map(planPort).sort(),
    ),
    ...differ(
      "run.volumes",
      container.mounts.filter(isDirectory).map(volume).sort(),
      run.volumes.map(volume).sort(),
    ),
    ...(run.network === null ? [] : differ("run.network", container.networks, [run.network])),
    ...(run.ip === null || container.ips.includes(run.ip) ? [] : differ("run.ip", container.ips, [run.ip])),
    ...differ("run.memory", container.memoryLimit, run.memory),
  ];
}

/** `imageId`: what the plan's name means on that node now. */
function imageDifference(container: ContainerFacts, image: string, imageId: string | null): string[] {
  const same =
    container.imageId === imageId ||
    container.imageName === image ||
    container.imageName.endsWith(`/${image}`);
  return same ? [] : differ("image", container.imageName, image);
}

/** The port for direct transfers is published under its own number and stands in no plan. */
function withoutTransfer(published: readonly UsedPort[], planned: readonly PublishedPort[]): string[] {
  const wanted = planned.map(planPort);
  const ports = published.map((port) => ({
    text: portText(port.ip, port.port, port.containerPort ?? port.port, port.protocol),
    own: port.port === port.containerPort && port.protocol === "tcp",
  }));
  const extra = ports.filter(({ text, own }) => own && !wanted.includes(text));
  return ports
    .filter((port) => extra.length > 1 || !extra.includes(port))
    .map(({ text }) => text)
    .sort();
}

function planPort({ ip, hostPort, containerPort, protocol }: PublishedPort): string {
  return portText(ip, hostPort, containerPort, protocol);
}

function portText(ip: string | null, hostPort: number, containerPort: number, protocol: string): string {
  return `${ip === null ? "" : `${ip}:`}${hostPort}:${containerPort}${protocol === "tcp" ? "" : `/${protocol}`}`;
}

function isDirectory(mount: MountFacts): boolean {
  return mount.volume === null && !/^(\/run\/fastmig|\/var\/lib\/fastmig)(\/|$)/.test(mount.container);
}

function volume({ host, container, readOnly }: Volume): string {
  return `${host}:${container}${readOnly ? ":ro" : ""}`;
}

function differ(key: string, runs: unknown, planned: unknown): string[] {
  return isDeepStrictEqual(runs, planned)
    ? []
    : [`${key}: it runs with ${shown(runs)}, the plan says ${shown(planned)}`];
}

function shown(value: unknown): string {
  return value === null ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}

function sorted(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)));
}
