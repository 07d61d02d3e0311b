/** Freezes a service of a plan into an image. */
import { ulid } from "ulid";
import type { ImageWork } from "../../daemon/api.js";
import { exitCodes, FastmigError } from "../../errors.js";
import type { Plan, PlanService } from "../../plan/plan.js";
import type { Nodes } from "../nodes.js";
import type { Progress } from "../progress.js";
import { Site } from "../site.js";
import { statusOf } from "../steps/connect.js";
import { followWork } from "./work.js";

/** How an image is made. Durations in milliseconds. */
export interface CheckpointOptions {
  url: string;
  /** What it takes to reach the store from there, as environment variables. */
  access: Record<string, string>;
  /** Null: the image lies at `url` itself. Else below it, and of the service's images there so many stay. */
  keep: number | null;
  leaveRunning: boolean;
  packing: "plain" | "lz4" | "zstd";
  shards: number;
  /** Paths of the container, beside those of the plan. */
  preserve: string[];
  /** Null: not encrypted. */
  passphrase: Buffer | null;
  lease: number;
  deadline: number;
}

export interface Checkpointed {
  service: string;
  node: string;
  url: string;
  /** Bytes of CRIU's images, and what they take in the store. */
  bytes: number;
  stored: number;
  frozenMs: number | null;
  totalMs: number | null;
  leftRunning: boolean;
}

/** Throws NOT_RUNNING (exit 3), what the daemon refused, and why it failed: the service goes on then. */
export async function checkpointService(
  nodes: Nodes,
  plan: Plan,
  service: PlanService,
  options: CheckpointOptions,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<Checkpointed> {
  const site = await whereItRuns(nodes, plan, service.name);
  const daemon = await site.daemon();
  const id = ulid();
  const { passphrase, ...request } = options;
  const preserve = [...new Set([...service.preserve, ...options.preserve])];
  signal.throwIfAborted();
  const secret = passphrase?.toString("base64") ?? null;
  await daemon.checkpoint({ id, ...request, preserve, passphrase: secret, criuOptions: [] });
  const work = await followWork({ daemon, id, service: service.name, progress, signal });
  return { service: service.name, node: site.name, ...figures(work), leftRunning: options.leaveRunning };
}

function figures({ url, bytes, stored, frozenMs, totalMs }: ImageWork) {
  return { url, bytes, stored, frozenMs, totalMs };
}

async function whereItRuns(nodes: Nodes, plan: Plan, service: string): Promise<Site> {
  const sites = Object.keys(plan.nodes).map((name) => new Site(nodes, name, service));
  const states = await Promise.all(
    sites.map(async (site) => {
      await site.node();
      return { site, status: (await statusOf(site)).status };
    }),
  );
  const found = states.find(
    ({ status }) => status?.service.state === "running" && status.ownership.role === "owner",
  );
  if (found !== undefined) return found.site;
  const said = states.map(
    ({ site, status }) => `${site.name}: ${status?.service.state ?? "no daemon answers"}`,
  );
  throw new FastmigError(`${service} runs on none of the plan's nodes`, {
    code: "NOT_RUNNING",
    exit: exitCodes.preflight,
    details: said,
    hint: `start it: fastmig start ${plan.path} ${service}`,
  });
}
