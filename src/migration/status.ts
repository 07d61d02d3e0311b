import type { OpenMigration, ServiceState } from "../daemon/api.js";
import { messageOf } from "../errors.js";
import type { Plan } from "../plan/plan.js";
import { inspectContainer } from "./containers.js";
import type { Nodes } from "./nodes.js";
import { Site } from "./site.js";
import { openMigrationOf, ownershipOf } from "./state-files.js";
import { statusOf } from "./steps/connect.js";

/** A service on a node. */
export interface Place {
  service: string;
  node: string;
  /** `absent`: no container of that name; `stopped`: one that does not run; `unreachable`: the node; else the daemon's word. */
  state: ServiceState["state"] | "absent" | "stopped" | "no daemon" | "unreachable";
  /** The newest epoch that the node has seen, and what it was to it. */
  epoch: number | null;
  role: "owner" | "released" | "none" | null;
  pid: number | null;
  /** Bytes. */
  memory: number | null;
  since: string | null;
  open: OpenMigration | null;
  /** Why it could not be said better. */
  error: string | null;
}

/** Every service of a plan on every node of it. A node that cannot be asked is a finding, not an error. */
export async function statusOfPlan(plan: Plan, nodes: Nodes): Promise<Place[]> {
  const sites = Object.keys(plan.services).flatMap((service) =>
    Object.keys(plan.nodes).map((node) => new Site(nodes, node, service)),
  );
  return Promise.all(
    sites.map((site) =>
      placeOf(site).catch((thrown: unknown) => ({
        ...nothing(site),
        state: "unreachable" as const,
        error: messageOf(thrown),
      })),
    ),
  );
}

function nothing({ service, name }: Site): Omit<Place, "state"> {
  return {
    service,
    node: name,
    epoch: null,
    role: null,
    pid: null,
    memory: null,
    since: null,
    open: null,
    error: null,
  };
}

async function placeOf(site: Site): Promise<Place> {
  const { status, error } = await statusOf(site);
  if (status === null) return placeWithoutDaemon(site, error);
  const { service, ownership, tree, open } = status;
  return {
    ...nothing(site),
    state: service.state,
    epoch: ownership.epoch,
    role: ownership.role,
    pid: service.state === "running" || service.state === "held" ? service.pid : null,
    memory: tree.reduce((sum, process) => sum + process.rss, 0),
    since: service.state === "running" ? service.since : null,
    open,
  };
}

async function placeWithoutDaemon(site: Site, why: string): Promise<Place> {
  const [container, ownership, open] = await Promise.all([
    inspectContainer(site, site.service),
    ownershipOf(site),
    openMigrationOf(site),
  ]);
  const state = container === null ? "absent" : container.running ? "no daemon" : "stopped";
  return {
    ...nothing(site),
    state,
    epoch: ownership?.epoch ?? null,
    role: ownership?.role ?? null,
    open,
    error: state === "no daemon" ? why : null,
  };
}
