import { join } from "node:path";
import * as z from "zod/mini";
import type { Ended, ProcessInfo, ServiceSpec, ServiceState } from "./api.js";
import { readIfThere, removeDurably, replaceDurably } from "./durable.js";
import { startClocks } from "./clocks.js";
import type { ProcessEnd } from "./init-client.js";
import type { DaemonPaths } from "./paths.js";
import type { Processes } from "./processes.js";
import {
  allStats,
  describeProcess,
  initPid,
  isDead,
  readStat,
  readTree,
  treeOf,
  type ProcessId,
  type ProcessStat,
} from "./procfs.js";
import { lookUpUser } from "./users.js";
import { readFeatures } from "../instructions.js";
import { pause } from "../wait.js";
import { readText } from "./at-once.js";
import { cpuMask } from "./cpu-mask.js";

/** Restored PIDs must never meet a standby daemon's threads: services begin here (DESIGN section 5). */
export const firstPid = 1000;

const Remembered = z.object({ pid: z.int(), startTicks: z.int(), life: z.string(), since: z.string() });
type Remembered = z.infer<typeof Remembered>;

export interface ServiceOptions {
  processes: Processes;
  paths: DaemonPaths;
  life: string;
  /** Whether its first process adopts its orphans. */
  rootAdopts: boolean;
}

/** The one service of this container: its tree, whoever started it, and how it ended. */
export class Service {
  #process: Remembered | undefined;
  #ended: Ended | undefined;
  readonly #options: ServiceOptions;
  /** Told when the service ended by itself or was stopped. */
  onEnd: (ended: Ended) => void = () => undefined;

  private constructor(options: ServiceOptions, process: Remembered | undefined) {
    this.#options = options;
    this.#process = process;
  }

  /** Finds again what an earlier daemon of this container's life was running. */
  static async recall(options: ServiceOptions): Promise<Service> {
    const text = await readIfThere(rememberedIn(options.paths.state));
    const process = text === undefined ? undefined : Remembered.parse(JSON.parse(text));
    const service = new Service(options, process?.life === options.life ? process : undefined);
    service.#watch();
    return service;
  }

  get process(): ProcessId | undefined {
    return this.#process;
  }

  /** How it ended by itself, while it was this container's to run. */
  get ended(): Ended | undefined {
    return this.#ended;
  }

  async start(spec: ServiceSpec): Promise<void> {
    const user = await lookUpUser(spec.user);
    const { processes, paths, rootAdopts } = this.#options;
    await processes.init.moveCursor(firstPid - 1);
    const child = await processes.spawn({
      name: "service",
      uid: user.uid,
      gid: user.gid,
      groups: user.groups,
      cwd: spec.workdir,
      stdio: rootAdopts ? "subreaper" : "service",
      argv: spec.command,
      env: {
        HOME: user.home,
        USER: user.name,
        PATH: defaultPath,
        ...spec.env,
        ...(await maskOf(spec)),
        ...(await startClocks(paths, spec)),
      },
    });
    await this.adopt(child);
  }

  /** Takes a tree over that runs already: started just now, or restored. */
  async adopt(process: ProcessId): Promise<void> {
    const { pid, startTicks } = process;
    this.#process = { pid, startTicks, life: this.#options.life, since: new Date().toISOString() };
    this.#ended = undefined;
    await replaceDurably(rememberedIn(this.#options.paths.state), JSON.stringify(this.#process));
    this.#watch();
  }

  /** It is somebody else's now, or dead: its exit says nothing any more. */
  async forget(): Promise<void> {
    this.#process = undefined;
    this.#ended = undefined;
    await removeDurably(rememberedIn(this.#options.paths.state));
  }

  #watch(): void {
    const watched = this.#process;
    if (watched === undefined) return;
    void this.#options.processes.track(watched).ended.then((end) => {
      if (this.#process !== watched) return;
      this.#process = undefined;
      this.#ended = endedNow(end);
      this.onEnd(this.#ended);
    });
  }

  /** SIGTERM to the root, SIGKILL to what is left of the tree after `timeout` milliseconds. */
  async stop(timeout: number): Promise<void> {
    const root = this.#process;
    if (root === undefined) return;
    const tree = await readTree(root.pid);
    const { processes } = this.#options;
    await processes.kill(root.pid, 15);
    const end = performance.now() + timeout;
    while (performance.now() < end && !(await isDead(root))) await pause(10);
    for (const process of tree) if (!(await isDead(process))) await processes.kill(process.pid, 9);
    while (this.#process === root) await pause(5);
  }

  async tree(): Promise<ProcessStat[]> {
    return this.#process === undefined ? [] : readTree(this.#process.pid);
  }

  async describeTree(): Promise<ProcessInfo[]> {
    const described = await Promise.all((await this.tree()).map(describeProcess));
    return described.filter((process) => process !== undefined);
  }

  /** Orphans of the service that init adopted: they are outside the tree, and a dump would leave them behind. */
  async strays(known: ReadonlySet<number>): Promise<ProcessStat[]> {
    const stats = await allStats();
    const inTree = new Set(treeOf(stats, this.#process?.pid ?? 0).map((stat) => stat.pid));
    return stats.filter(
      (stat) =>
        stat.parent === initPid && stat.state !== "Z" && !inTree.has(stat.pid) && !known.has(stat.pid),
    );
  }

  /** `held`: whether its tree is frozen by a migration. */
  async state(held: boolean): Promise<ServiceState> {
    const process = this.#process;
    if (process === undefined)
      return this.#ended === undefined ? { state: "standby" } : { state: "ended", ended: this.#ended };
    if (held) return { state: "held", pid: process.pid };
    const stat = await readStat(process.pid);
    if (stat?.startTicks !== process.startTicks) return { state: "standby" };
    return { state: "running", pid: process.pid, startTime: process.startTicks, since: process.since };
  }
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const rememberedIn = (stateDir: string): string => join(stateDir, "service.json");

async function maskOf({ instructions, env }: ServiceSpec): Promise<Record<string, string>> {
  if (instructions === undefined) return {};
  return cpuMask(instructions, readFeatures(await readText("/proc/cpuinfo")), env);
}

function endedNow(end: ProcessEnd | null): Ended {
  const at = new Date().toISOString();
  if (end === null) return { code: null, signal: null, at };
  return end.kind === "exited"
    ? { code: end.code, signal: null, at }
    : { code: null, signal: String(end.signal), at };
}
