/** The source's rounds: one at a time, each written down before it begins, the chain dropped after any that failed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { PeerState, type Failure, type Round, type RoundRequest, type TuneRequest } from "../api.js";
import type { TreeOwner } from "../engine.js";
import { findImages, NoRoom } from "../images.js";
import { Conflict } from "../refusals.js";
import type { PeerClient } from "../transfer/client.js";
import { Pace } from "../transfer/pace.js";
import { describeLife } from "./alive.js";
import { begunRound, chainOf, interrupted } from "./chain.js";
import { prepareDeparture } from "./departure.js";
import { failureOf, type HandOverDeps } from "./half.js";
import type { MigrationRecord } from "./record.js";
import { retryLost } from "./retry.js";
import { isCut, lacksRoom, refusal } from "./round-obstacles.js";
import { endLeftRound, runRound } from "./round-run.js";
import { readRounds, writeRounds } from "./rounds-file.js";
import { Way } from "./way.js";

/** Milliseconds in which the peer answers before a round, room made and all, and for one question. */
const announceLimit = 20_000;
const askLimit = 10_000;
/** Milliseconds for a courtesy that is done again before the next round. */
const courtesyLimit = 2000;

interface Ready {
  images: string;
  /** Of the tree. */
  owner: TreeOwner;
  /** The line to the peer is cut. */
  lost?: Failure;
}

export class Rounds {
  readonly #deps: HandOverDeps;
  readonly #record: MigrationRecord;
  readonly #directory: string;
  /** To the peer, for the switchover too. */
  readonly way: Way;
  readonly #pace = new Pace(null);
  #stop = new AbortController();
  /** Milliseconds of the machine's monotonic clock: the last good round's freeze. */
  #frozeAt: number | null = null;
  #underWay: Promise<void> | undefined;
  /** Resolved and gone as soon as how the round ended can be seen; it may still be cleared away then. */
  #running: PromiseWithResolvers<void> | undefined;

  /** @param directory the migration's. */
  constructor(deps: HandOverDeps, record: MigrationRecord, directory: string) {
    this.#deps = deps;
    this.#record = record;
    this.#directory = directory;
    this.way = new Way(record.open.id);
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves when how the round that is under way ended can be seen. */
  get atRest(): Promise<void> {
    return this.#running?.promise ?? Promise.resolve();
  }

  /** Resolves when what the last round left is cleared away. Throws a Conflict where one is under way. */
  async rest(): Promise<void> {
    while (this.#underWay !== undefined) {
      if (this.busy) throw new Conflict("ROUND_UNDER_WAY", "a round is under way");
      await this.#underWay;
    }
  }

  /** The rounds that the final dump builds on, the full one first. */
  get chain(): number[] {
    return chainOf(this.#record.rounds);
  }

  /** Whether the peer may hold files of rounds that nothing builds on. */
  get dropped(): boolean {
    return this.#record.rounds.length > 0 && this.chain.length === 0;
  }

  /** After a daemon's death: a round that was under way has failed, and its CRIU must not outlive it. */
  async recover(): Promise<void> {
    const stored = await readRounds(this.#directory);
    if (stored === undefined) return;
    const died = failureOf("round", new Error("the source's daemon ended in the middle of the round"));
    this.#record.rounds = interrupted(stored.rounds, died);
    this.#record.tuning = stored.tuning;
    this.#frozeAt = stored.frozeAt;
    await endLeftRound(this.#deps);
    await this.#write();
    await this.#removeDropped();
  }

  /**
   * Resolves when a round has begun; the record tells how it goes. Throws a Conflict, with nothing begun, where one is under
   * way, where the kernel does not track pages, or where the tree cannot be dumped or does not fit.
   */
  async begin(request: RoundRequest): Promise<void> {
    await this.rest();
    this.#running = Promise.withResolvers();
    this.#stop = new AbortController();
    const begun = Promise.withResolvers<void>();
    this.#underWay = this.#make(request, begun).finally(() => {
      this.#underWay = undefined;
      this.#seen();
    });
    await begun.promise;
  }

  /** Gives up what is under way; resolves when nothing is any more. */
  async stop(why: string): Promise<void> {
    this.#stop.abort(new Error(why));
    await this.#underWay;
  }

  async tune({ bandwidth, downtime }: TuneRequest): Promise<void> {
    const before = this.#record.tuning;
    this.#record.tuning = {
      bandwidth: bandwidth === undefined ? before.bandwidth : bandwidth,
      downtime: downtime === undefined ? before.downtime : downtime,
    };
    if (bandwidth !== undefined) this.#pace.set(bandwidth);
    await this.#write();
  }

  /** Before the peer is asked to expect something: what it holds of rounds that failed must not lie among the images. */
  async forgetDropped(client: PeerClient, signal: AbortSignal): Promise<void> {
    if (!this.dropped) return;
    const { epoch } = this.#record.open;
    await retryLost((limited) => client.post("forget", { epoch }, PeerState, limited), signal, askLimit);
  }

  // ---- one round ---------------------------------------------------------------------------------

  async #make(request: RoundRequest, begun: PromiseWithResolvers<void>): Promise<void> {
    const client = this.way.client(request.peer);
    try {
      const ready = await this.#getReady(client, request);
      begun.resolve();
      await this.#run(client, ready);
    } catch (thrown) {
      begun.reject(thrown);
      // Nobody waits for it any more: a broken disk, or a bug. The next daemon finds the chain poisoned.
      if (/dumping|shipping/.test(this.#record.rounds.at(-1)?.state ?? "")) this.#deps.giveUp();
    } finally {
      // What made it fail may be the line.
      if (this.#record.rounds.at(-1)?.state !== "done") this.way.close();
    }
  }

  async #getReady(client: PeerClient, request: RoundRequest): Promise<Ready> {
    const startedAt = new Date().toISOString();
    await this.#refuseUntracked();
    const ready = await this.#prepare(client);
    this.#pace.set(this.#record.tuning.bandwidth ?? request.bandwidth);
    // On disk before CRIU touches the tree: whatever ends this daemon, nothing builds on what was before.
    this.#record.rounds = [...this.#record.rounds, begunRound(this.#record.rounds, startedAt)];
    await this.#write();
    return ready;
  }

  async #refuseUntracked(): Promise<void> {
    if ((await this.#deps.engine.features()).includes("mem_dirty_track")) return;
    throw new Conflict(
      "NOT_READY",
      "this node's kernel does not track dirty pages (no CONFIG_MEM_SOFT_DIRTY)",
    );
  }

  /** A chain for which there is no room any more makes way for a round that holds everything. */
  async #prepare(client: PeerClient): Promise<Ready> {
    try {
      return await this.#announce(client);
    } catch (thrown) {
      if (!lacksRoom(thrown) || this.chain.length === 0) throw refusal(thrown);
    }
    await this.#drop();
    return this.#announce(client).catch((thrown: unknown) => {
      throw refusal(thrown);
    });
  }

  /** A line that is cut is the round's failure; whatever else is in the way is told before it begins. */
  async #announce(client: PeerClient): Promise<Ready> {
    const { open, rounds } = this.#record;
    const { number } = begunRound(rounds, "");
    const leg = { round: number, chain: [], preserve: [] };
    const { images, expected } = await prepareDeparture(this.#deps, open, leg);
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(announceLimit)]);
    try {
      await this.forgetDropped(client, signal);
      await retryLost((limited) => client.post("expect", expected, PeerState, limited), signal, askLimit);
      return { images, owner: expected };
    } catch (thrown) {
      this.#stop.signal.throwIfAborted();
      if (!isCut(thrown)) throw thrown;
      const seconds = String(announceLimit / 1000);
      return {
        images,
        owner: expected,
        lost: failureOf("transfer", new Error(`the destination did not answer for ${seconds} s`)),
      };
    }
  }

  async #run(client: PeerClient, { images, owner, lost }: Ready): Promise<void> {
    const round = this.#record.rounds.at(-1) as Round;
    const [directory, epoch] = [this.#directory, this.#record.open.epoch];
    const change = (change: Partial<Round>): void => this.#change(change);
    const work = {
      round,
      epoch,
      directory,
      images,
      owner,
      client,
      pace: this.#pace,
      signal: this.#stop.signal,
      change,
    };
    try {
      if (lost !== undefined) return await this.#failed(lost, client);
      await this.#done(round, await runRound(this.#deps, work));
    } catch (thrown) {
      await this.#failed(failureOf("round", thrown), client);
    }
  }

  async #done({ parent }: Round, frozeAt: number): Promise<void> {
    const since = parent === null || this.#frozeAt === null ? null : frozeAt - this.#frozeAt;
    this.#frozeAt = frozeAt;
    this.#change({ state: "done", sinceParentMs: since });
    this.#seen();
    await this.#write();
  }

  async #failed(failure: Failure, client: PeerClient): Promise<void> {
    const life = await describeLife(this.#deps.service, this.#deps.service.process);
    this.#deps.log.info("a round failed", { message: failure.message, life });
    this.#change({ state: "failed", failure: { ...failure, message: `${failure.message}; ${life}` } });
    this.#seen();
    await this.#write();
    await this.#removeDropped();
    await this.forgetDropped(client, AbortSignal.timeout(courtesyLimit)).catch(() => undefined);
  }

  // ---- the chain ---------------------------------------------------------------------------------

  /** A good chain is given up: as if its last round had failed. */
  async #drop(): Promise<void> {
    const why = failureOf("round", new NoRoom("there is no room to build on it: the next round is full"));
    this.#change({ state: "failed", failure: why });
    await this.#write();
    await this.#removeDropped();
  }

  async #removeDropped(): Promise<void> {
    const chain = new Set(this.chain);
    const images = await findImages(this.#deps.paths, this.#record.open.id);
    for (const { number } of this.#record.rounds.filter((round) => !chain.has(round.number))) {
      if (images !== undefined) await rm(join(images, String(number)), { recursive: true, force: true });
    }
  }

  #seen(): void {
    this.#running?.resolve();
    this.#running = undefined;
  }

  #change(change: Partial<Round>): void {
    const { rounds } = this.#record;
    this.#record.rounds = rounds.map((round, at) =>
      at === rounds.length - 1 ? { ...round, ...change } : round,
    );
  }

  #write(): Promise<void> {
    const { rounds, tuning } = this.#record;
    return writeRounds(this.#directory, { rounds: [...rounds], tuning, frozeAt: this.#frozeAt });
  }
}
