import type { Status } from "../daemon/api.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { PlanService } from "../plan/plan.js";
import * as podman from "../remote/engine.js";
import { run } from "../remote/run.js";
import { waitFor } from "../wait.js";
import { prepareDirectories } from "./directories.js";
import { inspectContainer } from "./containers.js";
import type { UsedPort } from "./facts.js";
import { takenPorts } from "./preflight/gather.js";
import type { Site } from "./site.js";
import { statusOf } from "./steps/connect.js";

/** The daemon fills CRIU's feature cache at its start, which takes about a second. */
const startMs = 60_000;

/** Ports that migrations of this run have taken on a node and that no container publishes yet. */
const promised = new Map<string, Set<number>>();

/** Creates and starts a service's container; its daemon waits. Answers the port it publishes for direct transfers. */
export async function createStandby(
  site: Site,
  service: PlanService,
  image: string,
  taken?: readonly UsedPort[],
): Promise<number | null> {
  const node = await site.node();
  await prepareDirectories(site);
  const port = transferPort(site, taken ?? (await takenPorts(site)));
  await run(node, podman.create(service, { image, paths: site.paths, transferPort: port }));
  await run(node, podman.start(service.name));
  return port;
}

/** The first port of the node's range that nobody has. */
export function transferPort(site: Pick<Site, "plan" | "name">, used: readonly UsedPort[]): number | null {
  const range = site.plan.transferPorts;
  if (range === null) return null;
  const taken = new Set(used.map(({ port }) => port));
  const mine = promised.get(site.name) ?? new Set();
  promised.set(site.name, mine);
  for (let port = range.first; port <= range.last; port++) {
    if (taken.has(port) || mine.has(port)) continue;
    mine.add(port);
    return port;
  }
  return null;
}

/** The port that an existing standby publishes for transfers. */
export async function publishedTransferPort(site: Site): Promise<number | null> {
  const range = site.plan.transferPorts;
  const container = await inspectContainer(site, site.service);
  const port = container?.publish.find(
    (one) =>
      range !== null && one.port >= range.first && one.port <= range.last && one.port === one.containerPort,
  );
  return port?.port ?? null;
}

/** Waits until the daemon of a started container answers; its container's last words explain where it does not. */
export async function awaitDaemon(site: Site, signal?: AbortSignal): Promise<Status> {
  try {
    return await waitFor(
      `the daemon of ${site.service} on ${site.name}`,
      async () => answered(await statusOf(site)),
      { timeout: startMs, interval: 50, ...(signal && { signal }) },
    );
  } catch (thrown) {
    signal?.throwIfAborted();
    const logs = await (await site.node()).exec(podman.logs(site.service, 20));
    throw new FastmigError(`the daemon of ${site.service} on ${site.name} did not come up`, {
      code: "NO_DAEMON",
      exit: exitCodes.rolledBack,
      details: `${logs.stdout}${logs.stderr}`.trim().split("\n"),
      hint: `see \`podman logs ${site.service}\` on ${site.name}`,
      cause: thrown,
    });
  }
}

function answered({ status, error }: Awaited<ReturnType<typeof statusOf>>): Status {
  if (status === null) throw new Error(error);
  return status;
}
