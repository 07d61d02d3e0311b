import { randomBytes } from "node:crypto";
import {
  type MigrationView,
  type OpenMigration,
  type ServiceSpec,
  type Status,
} from "../../src/daemon/api.js";
import { waitFor } from "../../src/wait.js";
import { askDaemon, killDaemon, statusOf } from "./daemon.js";
import { type NodeName, type Stage } from "./stage.js";
import { workloadsImage } from "./workloads/image.js";

const port = 7900;
const capabilities = ["CHECKPOINT_RESTORE", "SYS_PTRACE", "SETPCAP"];

/** A service's container and daemon without the CLI: made by hand, asked over its socket. */
export class Hands {
  #epoch = 0;

  constructor(
    readonly stage: Stage,
    readonly spec: ServiceSpec,
  ) {}

  /** Makes and starts the container; resolves when its daemon answers. */
  async create(node: NodeName, dropped: readonly string[] = []): Promise<Status> {
    const { name } = this.spec;
    const [runtime, state] = [`/run/fastmig/${name}`, `/var/lib/fastmig/${name}`];
    await this.stage.on(node, "mkdir", "-p", "-m", "711", runtime, state);
    const caps = capabilities
      .filter((each) => !dropped.includes(each))
      .flatMap((each) => ["--cap-add", each]);
    const places = [`${runtime}:${runtime}`, `${state}:${state}`].flatMap((place) => ["-v", place]);
    const env = [`FASTMIG_SERVICE=${name}`, `FASTMIG_STATE=${state}`, `FASTMIG_RUNTIME=${runtime}`];
    const options = [
      "--user",
      "0",
      "--security-opt",
      "seccomp=unconfined",
      ...caps,
      ...places,
      "-p",
      `${port}:${port}`,
    ];
    const more = ["--tmpfs", "/run/fastmig-images:rw,mode=0711", ...env.flatMap((each) => ["-e", each])];
    await this.stage.on(node, "podman", "run", "-d", "--name", name, ...options, ...more, workloadsImage);
    return waitFor("the daemon", () => statusOf(this.stage, node, this.spec), { timeout: 20_000 });
  }

  ask<T>(node: NodeName, path: string, body?: object): Promise<T> {
    return askDaemon<T>(this.stage, node, this.spec.name, path, body);
  }

  async run(node: NodeName): Promise<Status> {
    this.#epoch += 1;
    return this.ask<Status>(node, "/run", { epoch: this.#epoch, service: this.spec });
  }

  async lines(node: NodeName): Promise<string[]> {
    const text = await this.stage.on(node, "podman", "logs", this.spec.name);
    return text.split("\n").filter((line) => line.startsWith("line "));
  }

  /** Resolves with the numbers of the lines so far, once a new one has come. */
  async linesGoOn(node: NodeName): Promise<number[]> {
    const before = (await this.lines(node)).length;
    const look = async (): Promise<string[] | undefined> => {
      const lines = await this.lines(node);
      return lines.length > before ? lines : undefined;
    };
    const lines = await waitFor("a new line in the container's log", look, { timeout: 15_000 });
    return lines.map((line) => Number(line.split(" ")[1]));
  }

  killDaemon(node: NodeName): Promise<Status> {
    return killDaemon(this.stage, node, this.spec);
  }

  /** Opens a migration at both ends, and starts the switchover by direct. Resolves with the migration's id. */
  async handOver(from: NodeName, to: NodeName, lease = 10_000): Promise<string> {
    this.#epoch += 1;
    const id = `01J${String(this.#epoch).padStart(23, "0")}`;
    await this.ask(from, "/migrations", this.#open(id, "source", from, to));
    await this.#prepareDestination(this.#open(id, "destination", from, to), to);
    const psk = randomBytes(32).toString("hex");
    await this.ask(to, `/migrations/${id}/listen`, { port, psk });
    const peer = { transport: "direct", host: this.stage.address(to), port, psk };
    await this.ask(from, `/migrations/${id}/switchover`, {
      peer,
      preserve: [],
      lease,
      deadline: 60_000,
      bandwidth: null,
    });
    return id;
  }

  /** Where no daemon runs yet, the record is a file that it finds. */
  async #prepareDestination(open: OpenMigration, node: NodeName): Promise<void> {
    const state = `/var/lib/fastmig/${this.spec.name}`;
    await this.stage.on(node, "podman", "rm", "--force", "--ignore", "--time", "0", this.spec.name);
    await this.stage.on(
      node,
      "sh",
      "-c",
      `mkdir -p -m 711 ${state} && printf '%s' "$1" > ${state}/open.json`,
      "sh",
      JSON.stringify(open),
    );
    await this.create(node);
  }

  #open(id: string, role: OpenMigration["role"], from: string, to: string): OpenMigration {
    const openedAt = new Date().toISOString();
    return {
      id,
      epoch: this.#epoch,
      role,
      service: this.spec,
      from,
      to,
      by: "tests",
      plan: "none",
      openedAt,
    };
  }

  reaches(node: NodeName, id: string, state: MigrationView["state"]): Promise<MigrationView> {
    const look = async (): Promise<MigrationView | undefined> => {
      const view = await this.ask<MigrationView>(node, `/migrations/${id}`);
      if (view.state === state) return view;
      throw new Error(JSON.stringify(view));
    };
    return waitFor(`${id} on ${node} to be ${state}`, look, { timeout: 30_000 });
  }
}
