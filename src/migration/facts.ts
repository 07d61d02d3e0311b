import type { OpenMigration, Ownership, Status } from "../daemon/api.js";
import type { PlanMigration, PlanService, Volume } from "../plan/plan.js";
import type { Processor } from "../instructions.js";

/** What was learnt about the two nodes and the service before a migration. Sizes are bytes, durations milliseconds. */
export interface Facts {
  migration: PlanMigration;
  service: PlanService;
  source: SourceFacts;
  destination: DestinationFacts;
}

export interface NodeFacts {
  node: string;
  /** Host keys or machine ids: a value that two entries share means one machine. */
  identities: string[];
  /** Whom commands run as where that is not root: then nothing else here says much. */
  rootless: string | null;
  engine: { version: string } | { missing: string };
  memoryAvailable: number;
  /** Free on the file system of the state directory, and whether that is one that a reboot empties. */
  state: { free: number; volatile: boolean };
  /** Free on the file system of the engine's storage. */
  storageFree: number;
  /** Since boot. */
  uptime: number;
  /** What programs may find in its processor. */
  processor: Processor;
  /** The id of the image that the service's container has (destination) or that the plan names (source); null: not there. */
  imageId: string | null;
}

export interface SourceFacts extends NodeFacts {
  container: ContainerFacts | null;
  /** Null: no daemon answered; `daemonError` says how. */
  status: Status | null;
  daemonError: string | null;
  changes: FileChange[];
  /** Of the container's image, as the engine says it. */
  imageSize: number;
}

export interface DestinationFacts extends NodeFacts {
  /** The container of the service's name. */
  container: ContainerFacts | null;
  /** The daemon of that container, where one runs. */
  status: Status | null;
  open: OpenMigration | null;
  ownership: Ownership | null;
  taken: UsedPort[];
}

/** A container as the engine's `inspect` shows it. */
export interface ContainerFacts {
  name: string;
  id: string;
  running: boolean;
  imageId: string;
  imageName: string;
  entrypoint: string[];
  labels: Record<string, string>;
  mounts: MountFacts[];
  publish: UsedPort[];
  /** The networks' names, or `host`. */
  networks: string[];
  ips: string[];
  memoryLimit: number | null;
}

export interface MountFacts extends Volume {
  /** A named or anonymous volume's name; null: a directory of the node. */
  volume: string | null;
}

export interface UsedPort {
  ip: string | null;
  port: number;
  containerPort: number | null;
  protocol: "tcp" | "udp";
  /** A container's or a process's name. */
  by: string;
}

export interface FileChange {
  path: string;
  kind: "changed" | "added" | "deleted";
  directory: boolean;
}

/** One reason why a migration cannot begin. */
export interface Problem {
  /** The check that found it, a stable word for scripts. */
  check: string;
  node: string;
  message: string;
  /** What to do about it. */
  hint: string;
}
