import type { ServiceSpec, Status } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { PlanService } from "../plan/plan.js";
import * as podman from "../remote/engine.js";
import { run } from "../remote/run.js";
import { allowedInstructions } from "./baseline.js";
import { inspectContainer, inspectImage } from "./containers.js";
import type { ContainerFacts } from "./facts.js";
import type { Nodes } from "./nodes.js";
import type { ImageFacts } from "./podman-output.js";
import { refuseRootless } from "./preflight/rootless.js";
import { gatherSystem } from "./preflight/system.js";
import { Site } from "./site.js";
import { awaitDaemon, createStandby } from "./standby.js";
import { decideStart, type NodeReport } from "./start-rules.js";
import { openMigrationOf, ownershipOf } from "./state-files.js";
import { statusOf } from "./steps/connect.js";

export interface Started {
  service: string;
  node: string;
  outcome: "started" | "runs already";
  epoch: number;
}

/**
 * Runs a service from scratch on a node, after every node of the plan was asked whether it has a newer copy.
 * A node that cannot be asked is a reason not to start (exit 4): it may have one.
 */
export async function startService(nodes: Nodes, service: PlanService, on: string): Promise<Started> {
  const sites = Object.keys(nodes.plan.nodes).map((name) => new Site(nodes, name, service.name));
  await refuseRootless(...sites);
  const reports = await Promise.all(sites.map(reportOf));
  const decision = decideStart(service.name, on, reports);
  if (decision.kind === "runs already")
    return { service: service.name, node: on, outcome: "runs already", epoch: decision.epoch };
  const site = new Site(nodes, on, service.name);
  const image = await imageFor(site, service);
  await containerFor(site, service);
  await awaitDaemon(site);
  const spec = { ...specOf(service, image), ...(await restrictions(service, site, sites)) };
  const status = await (await site.daemon()).run({ epoch: decision.epoch, service: spec });
  return { service: service.name, node: on, outcome: "started", epoch: status.ownership.epoch };
}

/** Decided once, when it starts: it goes with the service from node to node. */
async function restrictions(
  { cpuBaseline }: PlanService,
  on: Site,
  sites: readonly Site[],
): Promise<Pick<ServiceSpec, "instructions">> {
  if (cpuBaseline === null) return {};
  const others = sites.filter(({ name }) => name !== on.name);
  const [here, ...there] = await Promise.all([gatherSystem(on), ...others.map(gatherSystem)]);
  const processors = there.map(({ processor }) => processor);
  return { instructions: allowedInstructions(cpuBaseline, here.processor, processors) };
}

export async function reportOf(site: Site): Promise<NodeReport> {
  const [{ status }, ownership, open, container] = await Promise.all([
    statusOf(site),
    ownershipOf(site),
    openMigrationOf(site),
    inspectContainer(site, site.service),
  ]);
  return {
    node: site.name,
    epoch: (status?.ownership ?? ownership)?.epoch ?? 0,
    owner: (status?.ownership ?? ownership)?.role === "owner",
    runs: isRunning(status),
    container: container !== null,
    open,
  };
}

function isRunning(status: Status | null): boolean {
  return status?.service.state === "running" || status?.service.state === "held";
}

export async function imageFor(site: Site, service: PlanService): Promise<ImageFacts> {
  const image = await inspectImage(site, service.image);
  if (image !== null) return image;
  throw new FastmigError(`node ${site.name} has no image ${service.image}`, {
    code: "NO_IMAGE",
    exit: exitCodes.preflight,
    hint: `bring it there: podman save ${service.image} | ssh NODE podman load`,
  });
}

/** A stopped container of the same run is started again with what it wrote; another one is not ours to remove. */
export async function containerFor(site: Site, service: PlanService): Promise<void> {
  const container = await inspectContainer(site, service.name);
  if (container === null) {
    await createStandby(site, service, service.image);
    return;
  }
  refuseOther(site, service, container);
  if (!container.running) await run(await site.node(), podman.start(service.name));
}

function refuseOther(site: Site, service: PlanService, { labels }: ContainerFacts): void {
  if (
    labels["io.fastmig.service"] === service.name &&
    labels["io.fastmig.spec"] === podman.specDigest(service)
  )
    return;
  throw new FastmigError(
    `the container ${service.name} on ${site.name} was made otherwise than the plan says`,
    {
      code: "OTHER_CONTAINER",
      exit: exitCodes.preflight,
      hint: `look at it, then remove it there: podman rm -f ${service.name}`,
    },
  );
}

/** What the daemon runs: where the plan is silent, what the image says. */
export function specOf(
  { name, command, env, user, workdir, virtualTime }: PlanService,
  image: Pick<ImageFacts, "user" | "workdir">,
): ServiceSpec {
  return { name, command, env, user: user ?? image.user, workdir: workdir ?? image.workdir, virtualTime };
}
