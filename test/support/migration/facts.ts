import type { MigrationView, OpenMigration, Status } from "../../../src/daemon/api.js";
import type {
  ContainerFacts,
  DestinationFacts,
  Facts,
  NodeFacts,
  SourceFacts,
} from "../../../src/migration/facts.js";
import type { PlanNode, PlanService, PortRange } from "../../../src/plan/plan.js";

/** Values of a healthy migration of `counter` from a to b; each test changes what it is about. */
export const service: PlanService = {
  name: "counter",
  image: "localhost/counter:1",
  command: ["python3", "/srv/counter.py"],
  env: { MODE: "fast" },
  user: null,
  workdir: null,
  run: {
    publish: [{ ip: null, hostPort: 8080, containerPort: 8080, protocol: "tcp" }],
    volumes: [],
    network: null,
    ip: null,
    memory: null,
    args: [],
  },
  cpuBaseline: null,
  virtualTime: true,
  preserve: [],
  shared: [],
  leave: [],
  checkpoint: null,
  health: null,
};

export const open: OpenMigration = {
  id: "01JCXZ0000000000000000000A",
  epoch: 3,
  role: "source",
  service: { name: "counter", command: service.command, env: service.env, user: "root", workdir: "/" },
  from: "a",
  to: "b",
  by: "ops@desk pid 7",
  plan: "plan.yaml",
  openedAt: "2026-01-01T00:00:00.000Z",
};

export const status: Status = {
  apiVersion: 1,
  version: "0.1.0",
  pid: 7,
  ownership: { epoch: 2, role: "owner", service: open.service },
  service: { state: "running", pid: 1000, startTime: 1, since: "2026-01-01T00:00:00.000Z" },
  tree: [
    { pid: 1000, startTime: 1, uid: 0, rss: 300e6, name: "python3", highestTid: 1000, clocks: "virtual" },
  ],
  open: null,
  migration: null,
  image: null,
  criu: { version: "4.2.1", features: ["pidfd_store"] },
  memory: {
    daemonRss: 60e6,
    daemonPeak: 60e6,
    cgroupLimit: null,
    cgroupUsed: 400e6,
    hostAvailable: 4e9,
    imagesFree: 2e9,
  },
  uptime: 100_000,
};

export const container: ContainerFacts = {
  name: "counter",
  id: "c0ffee000000000000",
  running: true,
  imageId: "sha256:1",
  imageName: "localhost/counter:1",
  entrypoint: ["/usr/lib/fastmig/init"],
  labels: { "io.fastmig.service": "counter", "io.fastmig.spec": "s1" },
  mounts: [
    { host: "/run/fastmig/counter", container: "/run/fastmig/counter", readOnly: false, volume: null },
  ],
  publish: [{ ip: null, port: 8080, containerPort: 8080, protocol: "tcp", by: "counter" }],
  networks: ["podman"],
  ips: ["10.88.0.2"],
  memoryLimit: null,
};

function node(name: string): NodeFacts {
  return {
    node: name,
    identities: [`SHA256:${name}`],
    rootless: null,
    engine: { version: "5.4.2" },
    memoryAvailable: 4e9,
    state: { free: 10e9, volatile: false },
    storageFree: 10e9,
    uptime: 100_000,
    processor: { model: "Processor 7", features: ["sse4_2", "avx", "avx2", "erms", "arat"] },
    imageId: "sha256:1",
  };
}

export function facts(
  change: {
    service?: Partial<PlanService>;
    source?: Partial<SourceFacts>;
    destination?: Partial<DestinationFacts>;
  } = {},
): Facts {
  return {
    migration: {
      service: "counter",
      from: "a",
      to: "b",
      strategy: "stop-and-copy",
      precopy: null,
      downtime: null,
      bandwidth: { rounds: null, final: null },
      deadline: 300_000,
      lease: 30_000,
      transfer: "auto",
      tcp: "close",
    },
    service: { ...service, ...change.service },
    source: {
      ...node("a"),
      container,
      status,
      daemonError: null,
      changes: [],
      imageSize: 200e6,
      ...change.source,
    },
    destination: {
      ...node("b"),
      container: null,
      status: null,
      open: null,
      ownership: null,
      taken: [],
      ...change.destination,
    },
  };
}

export function view(role: "source" | "destination", change: Partial<MigrationView> = {}): MigrationView {
  return {
    id: open.id,
    epoch: 3,
    role,
    state: "opened",
    verdict: null,
    failure: null,
    transfer: { bytes: 0, total: 0, files: 0 },
    timeline: {},
    startedAt: null,
    stats: null,
    proof: null,
    verified: [],
    rounds: [],
    tuning: { bandwidth: null, downtime: null },
    ...change,
  };
}

export function planNode(name: string, transferPorts: PortRange | null): PlanNode {
  return {
    name,
    reach: { kind: "ssh", alias: name },
    address: null,
    sudo: false,
    engine: "podman",
    transferPorts,
  };
}
