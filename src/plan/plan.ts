import type { CpuLevel } from "../instructions.js";

/**
 * A plan with everything filled in: what the rest of the program works with. `WrittenPlan` (schema.ts) is what YAML may say.
 * Durations are milliseconds, sizes bytes. `null` means that the plan leaves it to the image, the node or nobody, as each key says.
 */
export interface Plan {
  /** The plan file, as it was named. */
  path: string;
  /** The plan file's content, to keep a copy of exactly what was read. */
  text: string;
  nodes: Record<string, PlanNode>;
  services: Record<string, PlanService>;
  migrations: PlanMigration[];
  options: PlanOptions;
}

export interface PlanNode {
  name: string;
  reach: Reach;
  /** Where other nodes and `{node}` reach it; null: what `ssh -G` says of the alias. */
  address: string | null;
  /** Whether commands on the node are run with sudo. */
  sudo: boolean;
  engine: Engine;
  /** Ports that the node may publish for direct transfers. */
  transferPorts: PortRange | null;
}

export type Engine = "podman";

export type Reach =
  /** `user` null: whoever runs the program. */
  | { kind: "host"; host: string; user: string | null; port: number }
  /** A host of `~/.ssh/config`. */
  | { kind: "ssh"; alias: string };

export interface PortRange {
  first: number;
  last: number;
}

export interface PlanService {
  name: string;
  image: string;
  /** Run from scratch; at least one word. */
  command: string[];
  env: Record<string, string>;
  /** Null: the image's. */
  user: string | null;
  /** Null: the image's. */
  workdir: string | null;
  run: RunOptions;
  /** Null: it uses what it finds where it starts. */
  cpuBaseline: CpuBaseline | null;
  /** Whether its monotonic clocks go on where they stopped, on whatever host. */
  virtualTime: boolean;
  /** Container paths that travel with the memory. */
  preserve: string[];
  /** Container paths that both nodes see alike. */
  shared: string[];
  /** Container paths that may differ. */
  leave: string[];
  /** Null: whoever makes an image says where it goes. */
  checkpoint: PlannedCheckpoint | null;
  health: Health | null;
}

/** Where images of a service go. */
export interface PlannedCheckpoint {
  to: string;
  /** How many stay; null: there is one, which the next takes the place of. */
  keep: number | null;
  /** Milliseconds from one to the next; null: one is made. Only with `keep`. */
  every: number | null;
}

/** `auto`: what all nodes of the plan have. */
export type CpuBaseline = CpuLevel | "auto";

export interface RunOptions {
  publish: PublishedPort[];
  volumes: Volume[];
  /** Null: the engine's default network. */
  network: string | null;
  /** A fixed address in `network`. */
  ip: string | null;
  /** Bytes; null: no limit. */
  memory: number | null;
  /** More arguments of the container engine's `create`. */
  args: string[];
}

export interface PublishedPort {
  /** The node's address to listen on; null: all of them. */
  ip: string | null;
  hostPort: number;
  containerPort: number;
  protocol: "tcp" | "udp";
}

export interface Volume {
  /** An absolute path on the node. */
  host: string;
  container: string;
  readOnly: boolean;
}

/**
 * `{node}` stands in `url`, `host` and `command` wherever the node's address has to be put (in `url` an IPv6 address
 * in brackets); no other word stands in braces.
 */
export type Health = {
  /** Within how many milliseconds it has to succeed. */
  timeout: number;
  /** Milliseconds between two tries. */
  interval: number;
} & HealthProbe;

export type HealthProbe =
  /** Any 2xx answer to a GET. */
  | { kind: "http"; url: string }
  /** Exit code 0 of a command in the container. */
  | { kind: "exec"; command: string[] }
  /** A connection that is accepted. */
  | { kind: "tcp"; host: string; port: number };

export interface PlanMigration {
  service: string;
  from: string;
  to: string;
  strategy: Strategy;
  /** How the memory is copied ahead; null: with stop-and-copy it is not. */
  precopy: PreCopy | null;
  /** The budget that the rounds work towards and the report is held against; null: none. */
  downtime: number | null;
  bandwidth: Bandwidth;
  /** From the freeze on, in all; the rounds have as long again before it. */
  deadline: number;
  /** How long the service may stay frozen without verified progress. */
  lease: number;
  transfer: Transfer;
  tcp: "close";
}

export type Strategy = "stop-and-copy" | "pre-copy";

export interface PreCopy {
  /** At most so many in one run of the program; `auto`: until they do not get shorter. */
  rounds: Rounds;
  onDivergence: "switch" | "throttle" | "abort";
  onUnsupported: "stop-and-copy" | "abort";
}

export type Rounds = number | "auto";

/** Bytes per second at most; null: as fast as the line is. */
export interface Bandwidth {
  rounds: number | null;
  final: number | null;
}

export type Transfer = "auto" | "direct" | "relay";

export interface PlanOptions {
  /** Migrations at once. */
  parallel: number;
  /** Migrations at once that touch the same node. */
  perNode: number;
  onFailure: "stop" | "continue";
  /** How long the source's stopped container is kept after the migration is confirmed. */
  keepSource: number;
}

export const defaultPlanPath = "./fastmig.yaml";
