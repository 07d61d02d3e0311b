/** Brings a service of a plan back from an image. */
import { ulid } from "ulid";
import { exitCodes, FastmigError } from "../../errors.js";
import type { PlanService } from "../../plan/plan.js";
import { awaitHealth } from "../health.js";
import type { Nodes } from "../nodes.js";
import { refuseRootless } from "../preflight/rootless.js";
import type { Progress } from "../progress.js";
import { Site } from "../site.js";
import { awaitDaemon } from "../standby.js";
import { containerFor, imageFor, reportOf } from "../start.js";
import { decideStart } from "../start-rules.js";
import { followWork } from "./work.js";

export interface Restored {
  service: string;
  node: string;
  url: string;
  epoch: number;
  bytes: number;
  /** From CRIU's start until it ran, and with everything before, milliseconds. */
  restoreMs: number | null;
  totalMs: number | null;
}

export interface RestoreOptions {
  url: string;
  /** What it takes to reach the store from there, as environment variables. */
  access: Record<string, string>;
  /** Whether the service's newest image below `url` is meant. */
  latest: boolean;
  /** The node. */
  on: string;
  passphrase: Buffer | null;
}

/**
 * Every node of the plan is asked first, as `start` does: a service that runs or could come back elsewhere is not restored.
 * Throws what the daemon found wrong with the image (IMAGE_*, exit 3), CRIU (exit 5), UNHEALTHY (exit 6).
 */
export async function restoreService(
  nodes: Nodes,
  service: PlanService,
  { url, access, latest, on, passphrase }: RestoreOptions,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Restored> {
  const { name } = service;
  const sites = Object.keys(nodes.plan.nodes).map((node) => new Site(nodes, node, name));
  await refuseRootless(...sites);
  const decision = decideStart(name, on, await Promise.all(sites.map(reportOf)));
  if (decision.kind === "runs already") throw runsAlready(name, on);
  const site = new Site(nodes, on, name);
  await imageFor(site, service);
  await containerFor(site, service);
  await awaitDaemon(site, signal);
  const daemon = await site.daemon();
  const id = ulid();
  signal.throwIfAborted();
  const secret = passphrase?.toString("base64") ?? null;
  const { epoch } = decision;
  const image = { url, access, latest, passphrase: secret };
  await daemon.restore({ id, epoch, ...image, ...plainly, service: name });
  const work = await followWork({ daemon, id, service: name, progress, signal });
  if (service.health !== null)
    await awaitHealth(site, service.health, [`see \`podman logs ${name}\` on ${on}`]);
  const { ownership } = await daemon.status();
  return {
    ...{ service: name, node: on, url: work.url, epoch: ownership.epoch },
    ...{ bytes: work.bytes, restoreMs: work.frozenMs, totalMs: work.totalMs },
  };
}

/** As it was. */
const plainly = { criuOptions: [], listenRemap: [], leaveStopped: false };

function runsAlready(service: string, node: string): FastmigError {
  return new FastmigError(`${service} runs on ${node} already`, {
    code: "RUNS_ALREADY",
    exit: exitCodes.preflight,
    hint: "a restore takes the place of nothing that runs: freeze it first, with fastmig checkpoint",
  });
}
