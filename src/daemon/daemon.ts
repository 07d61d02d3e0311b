/** The daemon of one service: who owns it, what runs, and the one migration that may be open. */
import { readFile } from "node:fs/promises";
import {
  apiVersion,
  type CheckpointRequest,
  type Ended,
  type ImageWork,
  type MigrationView,
  OpenMigration,
  type RestoreRequest,
  type RunRequest,
  type Status,
} from "./api.js";
import { messageOf } from "../errors.js";
import { createOnce, readIfThere } from "./durable.js";
import type { Engine } from "./engine.js";
import { refuseOpening, refuseRestore, refuseRun } from "./epochs.js";
import { DestinationHalf } from "./handover/destination.js";
import { closedView, type HandOverDeps } from "./handover/half.js";
import { openJournal, type Journal } from "./handover/journal.js";
import { SourceHalf } from "./handover/source.js";
import { ImageWorks } from "./image/works.js";
import { freeBytes } from "./images.js";
import type { Log } from "./log.js";
import { memoryFacts } from "./memory.js";
import type { OwnershipStore } from "./ownership.js";
import { journalFile, openFile, type DaemonPaths } from "./paths.js";
import type { PageLists } from "./page-lists.js";
import type { Policy } from "./policy.js";
import type { Processes } from "./processes.js";
import { memoryOf } from "./procfs.js";
import { Conflict, NotFound } from "./refusals.js";
import type { Answers } from "./router.js";
import type { Service } from "./service.js";

export interface DaemonDeps {
  paths: DaemonPaths;
  processes: Processes;
  engine: Engine;
  pageLists: PageLists;
  service: Service;
  ownership: OwnershipStore;
  life: string;
  version: string;
  policy: Policy;
  log: Log;
  /** Ends this daemon: the next one goes on from the journal. */
  giveUp(): void;
}

/** A shell's exit status for a command that cannot be executed. */
const cannotStart = 126;

export type AnyHalf = SourceHalf | DestinationHalf;

export class Daemon {
  readonly deps: DaemonDeps;
  /** The open migration, or the last one of this daemon's time. */
  #half: AnyHalf | undefined;
  #open: OpenMigration | undefined;
  /** The last end of the service that was acted upon: its container may stay. */
  #ended: Ended | undefined;

  /** Checkpoints to a store and restores from one. */
  readonly images: ImageWorks;
  readonly #peerAnswers: Answers;

  /** @param peerAnswers for the source's daemon, on a migration's own listener. */
  constructor(deps: DaemonDeps, peerAnswers: (daemon: Daemon) => Answers) {
    this.deps = deps;
    this.#peerAnswers = peerAnswers(this);
    this.images = new ImageWorks(deps, () => this.#worked());
    deps.service.onEnd = (ended) => this.#serviceEnded(ended);
  }

  // ---- start ------------------------------------------------------------------------------------

  /** Takes up what an earlier daemon left; starts the service where this node owns it and no migration is open. */
  async takeUp(): Promise<void> {
    const text = await readIfThere(openFile(this.deps.paths));
    await this.images.takeUp();
    if (text === undefined) return this.#goOn();
    this.#open = OpenMigration.parse(JSON.parse(text));
    const last = await this.#journal().last(this.#open.id);
    if (last === undefined) await this.#journalOpening(this.#open);
    this.#half = this.#makeHalf(this.#open, last?.state ?? "opened");
    const reborn = last !== undefined && last.life !== this.deps.life;
    await this.#half.recover(reborn);
  }

  #journal(): Journal {
    return openJournal(journalFile(this.deps.paths));
  }

  /** So that a later daemon knows in which life of the container it was opened. */
  async #journalOpening({ id, epoch, role }: OpenMigration): Promise<void> {
    const at = new Date().toISOString();
    const { life } = this.deps;
    await this.#journal().append({
      at,
      id,
      epoch,
      role,
      event: "open",
      state: "opened",
      life,
      failure: null,
    });
  }

  /** With no migration open: a service that ended takes its container along, one that is ours is started. */
  async #goOn(): Promise<void> {
    await this.#journal()
      .compact()
      .catch((thrown: unknown) =>
        this.deps.log.error("the journal stays long", { message: messageOf(thrown) }),
      );
    const { ended } = this.deps.service;
    if (ended !== undefined) this.#serviceEnded(ended);
    else await this.startIfOurs();
  }

  /** Rule 6: only the owner, only with no open migration; and only what does not run already. */
  async startIfOurs(): Promise<void> {
    const { role, service } = this.deps.ownership.get();
    if (role !== "owner" || service === null || this.#open !== undefined) return;
    if (this.deps.service.process !== undefined) return;
    await this.deps.service.start(service).catch((thrown: unknown) => {
      this.deps.log.error("the service does not start", { message: messageOf(thrown) });
      return this.deps.processes.init.shutdown(cannotStart);
    });
  }

  #makeHalf(open: OpenMigration, state: string): AnyHalf {
    const deps: HandOverDeps = {
      ...this.deps,
      journal: this.#journal(),
      closed: (id) => this.#closed(id),
    };
    if (open.role === "source") return new SourceHalf(deps, open, state as SourceHalf["state"]);
    return new DestinationHalf(deps, open, state as DestinationHalf["state"], this.#peerAnswers);
  }

  /** What had to wait for the migration's end: a service that ended meanwhile, or one to start after a reboot. */
  #closed(id: string): void {
    if (this.#open?.id !== id) return;
    this.#open = undefined;
    void this.#goOn();
  }

  // ---- service ----------------------------------------------------------------------------------

  async run(request: RunRequest): Promise<Status> {
    const { ownership, service } = this.deps;
    this.#refuseBusy();
    refuseRun(ownership.get(), request.epoch);
    if (service.process === undefined) await this.#startFirst(request);
    return this.status();
  }

  /** Owner first, then the deed. Where it cannot be started at all, nobody owns it at that epoch. */
  async #startFirst({ epoch, service }: RunRequest): Promise<void> {
    await this.deps.ownership.set({ epoch, role: "owner", service });
    try {
      await this.deps.service.start(service);
    } catch (thrown) {
      await this.deps.ownership.set({ epoch, role: "none", service: null });
      throw new Conflict("NOT_STARTED", `the service does not start: ${messageOf(thrown)}`);
    }
  }

  async stop(timeout: number): Promise<Status> {
    this.#refuseBusy();
    await this.deps.service.stop(timeout);
    return this.status();
  }

  // ---- migrations -------------------------------------------------------------------------------

  /** Opens a migration: creating the record is taking the lock. The same migration again is answered alike. */
  async open(open: OpenMigration): Promise<MigrationView> {
    if (this.#open?.id === open.id) return this.half(open.id).view();
    this.#refuseBusy();
    refuseOpening(this.deps.ownership.get(), open);
    if (!(await createOnce(openFile(this.deps.paths), `${JSON.stringify(open)}\n`)))
      throw new Conflict("LOCKED", "another migration was opened just now");
    this.#open = open;
    await this.#journalOpening(open);
    this.#half = this.#makeHalf(open, "opened");
    return this.#half.view();
  }

  half(id: string): AnyHalf {
    if (this.#half?.open.id !== id) throw new NotFound(`no migration ${id} is open here`);
    return this.#half;
  }

  source(id: string): SourceHalf {
    const half = this.half(id);
    if (half instanceof SourceHalf) return half;
    throw new Conflict("ROLE", "this node is the migration's destination");
  }

  destination(id: string): DestinationHalf {
    const half = this.half(id);
    if (half instanceof DestinationHalf) return half;
    throw new Conflict("ROLE", "this node is the migration's source");
  }

  /** Also of a migration that is over. As soon as nothing of it is under way, or after `within` milliseconds. */
  async view(id: string, within = 0): Promise<MigrationView> {
    if (this.#half?.open.id === id) return this.#half.viewAtRest(within);
    const closed = await closedView(this.deps.paths, id);
    if (closed === undefined) throw new NotFound(`this node knows no migration ${id}`);
    return closed;
  }

  // ---- images -----------------------------------------------------------------------------------

  /** Throws where a migration, a checkpoint or a restore is under way. */
  #refuseBusy(): void {
    if (this.#open !== undefined) throw new Conflict("LOCKED", lockedMessage(this.#open));
    this.images.refuseBusy();
  }

  async checkpoint(request: CheckpointRequest): Promise<ImageWork> {
    if (this.#open !== undefined) throw new Conflict("LOCKED", lockedMessage(this.#open));
    if (this.images.last?.id !== request.id && this.deps.service.process === undefined)
      throw new Conflict("NOT_RUNNING", "the service does not run here");
    return this.images.checkpoint(request);
  }

  async restore(request: RestoreRequest): Promise<ImageWork> {
    if (this.#open !== undefined) throw new Conflict("LOCKED", lockedMessage(this.#open));
    if (this.images.last?.id !== request.id) this.#refuseSecond(request.epoch);
    return this.images.restore(request);
  }

  /** A checkpoint or a restore is over. */
  #worked(): void {
    const { service, policy } = this.deps;
    const work = this.images.last;
    const left = work?.verb === "checkpoint" && work.state === "done" && service.process === undefined;
    if (left && service.ended === undefined) void this.#leave(policy.afterFreeze());
    else void this.#goOn();
  }

  #refuseSecond(epoch: number): void {
    if (this.deps.service.process !== undefined) throw new Conflict("RUNS", "the service runs here already");
    refuseRestore(this.deps.ownership.get(), epoch);
  }

  // ---- status -----------------------------------------------------------------------------------

  async status(): Promise<Status> {
    const { service, ownership, engine, version, paths } = this.deps;
    const half = this.#half;
    const held = half instanceof SourceHalf ? half.frozen : (half?.held ?? false);
    const { rss, peak } = await memoryOf(process.pid);
    return {
      apiVersion,
      version,
      pid: process.pid,
      ownership: ownership.get(),
      service: await service.state(held || this.images.frozen),
      tree: await service.describeTree(),
      open: this.#open ?? null,
      migration: half?.view() ?? null,
      image: this.images.last,
      criu: { version: engine.version, features: [...(await engine.features())] },
      memory: {
        daemonRss: rss,
        daemonPeak: peak,
        ...(await memoryFacts()),
        imagesFree: await freeBytes(paths.images),
      },
      uptime: Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]) * 1000,
    };
  }

  // ---- end --------------------------------------------------------------------------------------

  /** The container is being stopped. */
  async shutDown(timeout: number): Promise<void> {
    await this.deps.service.stop(timeout);
    await this.deps.processes.init.shutdown(0);
  }

  /** The service ended by itself: like any container's, its end is the container's, unless a migration is open. */
  #serviceEnded(ended: Ended): void {
    if (ended === this.#ended) return;
    this.deps.log.info("the service ended", { ...ended });
    if (this.#open !== undefined || this.images.current !== null) return;
    this.#ended = ended;
    void this.#leave(this.deps.policy.afterEnd(ended));
  }

  async #leave(status: Promise<number | null>): Promise<void> {
    const known = await status;
    if (known !== null) await this.deps.processes.init.shutdown(known);
  }
}

export function lockedMessage(open: OpenMigration): string {
  return `migration ${open.id} is open: ${open.from} → ${open.to}, by ${open.by} since ${open.openedAt}, plan ${open.plan}`;
}
