import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearNodes } from "../../src/lab/demo/clear.js";
import { healAll, inNode, setRate, type LabState } from "../../src/lab/index.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { type WrittenMigration, type WrittenOptions } from "../../src/plan/schema/migration.js";
import { Clients } from "./clients.js";
import { type Ended, fastmig } from "./fastmig.js";
import { type RunningFastmig, startFastmig } from "./running.js";
import { type Cast } from "./services.js";

export type NodeName = "a" | "b";
export type Move = Partial<Omit<WrittenMigration, "service">> & {
  options?: WrittenOptions;
  nodes?: Record<string, object>;
};

/** Two nodes, a place for files and journals, clients, and the program under test. */
export class Stage {
  readonly clients: Clients;
  /** More variables for the program under test, until the stage is cleared. */
  env: Record<string, string> = {};

  private constructor(
    readonly lab: LabState,
    readonly dir: string,
  ) {
    this.clients = new Clients(lab, dir);
  }

  static async set(lab: LabState): Promise<Stage> {
    return new Stage(lab, await mkdtemp(join(tmpdir(), "fastmig-e2e-")));
  }

  address(node: NodeName): string {
    const found = this.lab.nodes.find(({ name }) => name === node);
    if (found === undefined) throw new Error(`the lab has no node ${node}`);
    return found.address;
  }

  /** `host:port` of a service, on each node. */
  addresses({ port }: Cast): string[] {
    return [`${this.address("a")}:${port}`, `${this.address("b")}:${port}`];
  }

  /** Writes a plan that moves the services from one node to the other, and says where it is. */
  async plan(casts: readonly Cast[], move: Move = {}): Promise<string> {
    const { from = "a", to = "b", options, nodes, ...rest } = move;
    const plan = {
      version: 1,
      nodes: nodes ?? {
        a: { ssh: "a", transferPorts: "7900-7919" },
        b: { ssh: "b", transferPorts: "7900-7919" },
      },
      services: Object.fromEntries(casts.map(({ name, written }) => [name, written])),
      migrations: casts.map(({ name }) => ({ service: name, from, to, ...rest })),
      options,
    };
    const path = join(this.dir, `${casts.map(({ name }) => name).join("-")}-${from}-${to}.yaml`);
    await writeFile(path, JSON.stringify(plan, undefined, 2));
    return path;
  }

  /** Runs `fastmig` to its end, however that is. */
  fastmig(...args: string[]): Promise<Ended> {
    return fastmig(args, { env: this.#env() });
  }

  startFastmig(...args: string[]): RunningFastmig {
    return startFastmig(args, this.#env());
  }

  /** The result of a `--json` command that must succeed. */
  async result<T>(...args: string[]): Promise<T> {
    const { exit, stdout, stderr } = await this.fastmig(...args, "--json");
    if (exit !== 0) throw new Error(`fastmig ${args.join(" ")} ended with ${exit}\n${stdout}\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Runs `fastmig migrate`, which must succeed; the reports are in the plan's order. */
  async migrate(plan: string, ...flags: string[]): Promise<MigrationReport[]> {
    const { migrations } = await this.result<{ migrations: { report: MigrationReport }[] }>(
      "migrate",
      plan,
      ...flags,
    );
    return migrations.map(({ report }) => report);
  }

  #env(): Record<string, string> {
    const { PATH = "", HOME = "/root" } = process.env;
    return {
      PATH,
      HOME,
      NO_COLOR: "1",
      FASTMIG_SSH_CONFIG: this.lab.sshConfig,
      XDG_STATE_HOME: join(this.dir, "state"),
      ...this.env,
    };
  }

  on(node: NodeName, ...argv: string[]): Promise<string> {
    return inNode(this.lab, node, argv);
  }

  /** Ends every client and container, lifts every fault: the next test starts from nothing. */
  async clear(): Promise<void> {
    this.env = {};
    await this.clients.stopAll();
    await healAll(this.lab);
    await setRate(this.lab, null);
    await clearNodes(this.lab);
    await rm(join(this.dir, "state"), { recursive: true, force: true });
  }

  async strike(): Promise<void> {
    await this.clear();
    await rm(this.dir, { recursive: true, force: true });
  }
}
