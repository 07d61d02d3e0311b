/** The source's half: executes sourceTable. What it decides stands in the table, how it is done stands here. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  SwitchoverRequest,
  type OpenMigration,
  type PeerState,
  type ReleaseProof,
  type SourceStateName,
} from "../api.js";
import { readIfThere, replaceDurably } from "../durable.js";
import { findImages, removeImages } from "../images.js";
import type { ProcessEnd } from "../init-client.js";
import { warmMemory } from "../preallocate.js";
import { criuFailure, leaseFailure } from "./criu-failure.js";
import { awaitDeath, awaitResume, killAll, type Scene, type TreeFate } from "./death.js";
import { packUp, prepareDeparture } from "./departure.js";
import { DumpRun } from "./dump-run.js";
import { failureOf, Half, type HandOverDeps } from "./half.js";
import { restoreBack } from "./restore-back.js";
import { Shipping } from "./shipping.js";
import { readStatistics } from "./statistics.js";
import { sourceTable, type SourceAction, type SourceEvent } from "./table.js";
import { readTreeFile, type DumpedTree } from "./tree-file.js";

export class SourceHalf extends Half<SourceStateName, SourceEvent, SourceAction> {
  #request: SwitchoverRequest | undefined;
  #shipping: Shipping | undefined;
  readonly #run: DumpRun;
  #imagesDirectory: string | undefined;
  #told: Promise<void> = Promise.resolve();
  #preparing: Promise<void> | undefined;

  constructor(deps: HandOverDeps, open: OpenMigration, state: SourceStateName) {
    super(deps, open, sourceTable, state);
    this.#run = new DumpRun(deps, this.directory, {
      held: () => void this.machine.send("held"),
      ended: (end) => void this.#dumpEnded(end),
    });
  }

  /** Goes on where an earlier daemon, or an earlier life of the container, stopped. */
  async recover(reborn: boolean): Promise<void> {
    await this.loadVerdict();
    this.#imagesDirectory = await findImages(this.deps.paths, this.open.id);
    const request = await readIfThere(this.#requestFile());
    if (request !== undefined) this.#connect(SwitchoverRequest.parse(JSON.parse(request)));
    await this.machine.send(reborn ? "reborn" : "restarted");
  }

  /**
   * Asks the peer to expect us, then freezes. Rejects, with the service running and nothing changed,
   * where the tree cannot be moved or the peer does not answer.
   */
  async switchover(request: SwitchoverRequest): Promise<void> {
    if (this.state !== "opened") return;
    this.#preparing ??= this.#prepare(request).finally(() => (this.#preparing = undefined));
    await this.#preparing;
  }

  async #prepare(request: SwitchoverRequest): Promise<void> {
    const { images, expected } = await prepareDeparture(this.deps, this.open, request.preserve);
    this.#imagesDirectory = images;
    await Promise.all([this.#connect(request).announce(expected), warmMemory(images, expected.bytes)]);
    await this.makeDirectory();
    await replaceDurably(this.#requestFile(), JSON.stringify(request));
    await this.machine.send("switchover");
  }

  async abort(): Promise<void> {
    // What is being prepared ends first: its files would be left behind.
    await this.#preparing?.catch(() => undefined);
    if (["opened", "dumping", "held"].includes(this.state))
      this.record.fail({ step: "abort", message: "aborted on request", log: [], hint: null });
    await this.machine.send("abort");
    if (this.state === "aborting") await this.machine.reached(["aborted", "reclaimed", "released"]);
    await this.closed();
  }

  async confirm(): Promise<void> {
    await this.machine.send("confirm");
    await this.closed();
  }

  /** The operator's word that the destination never ran it and never will. */
  async keepSource(): Promise<void> {
    await this.machine.send("keepSource");
    if (this.state === "restoringBack") await this.machine.reached(["reclaimed", "released"]);
    await this.closed();
  }

  get frozen(): boolean {
    return this.state === "held" || this.state === "releasing";
  }

  protected entered(state: SourceStateName): void {
    this.record.mark(state);
    if (state !== "dumping" && state !== "held") this.#shipping?.thaw(`the source is ${state}`);
  }

  protected actions(): Record<SourceAction, () => Promise<void>> {
    return {
      dump: () => this.#dump(),
      watchDump: () => this.#watchDump(),
      ship: async () => this.#ways().follow(this.#images()),
      shipFinal: () => this.#shipFinal(),
      askPeer: () => this.#askPeer(),
      createReleased: () => this.#decide("released"),
      createAborted: () => this.#decide("aborted"),
      awaitDeath: async () => this.#tell(await awaitDeath(await this.#scene())),
      examineTree: async () => this.#tell(await awaitResume(await this.#scene())),
      killRest: () => this.#killRest(),
      bury: () => this.#bury(),
      tellReleased: () => this.#tellReleased(),
      tellAborted: () => (this.#told = this.#shipping?.aborted() ?? Promise.resolve()),
      restoreBack: () => this.#restoreBack(),
      close: () => this.close(),
    };
  }

  // ---- before the freeze ------------------------------------------------------------------------

  #connect(request: SwitchoverRequest): Shipping {
    this.#request = request;
    this.#shipping = new Shipping({
      id: this.open.id,
      directory: this.directory,
      request,
      onProgress: (progress) => (this.record.transfer = progress),
    });
    return this.#shipping;
  }

  #ways(): Shipping {
    if (this.#shipping === undefined) throw new Error("no switchover was asked for yet");
    return this.#shipping;
  }

  #images(): string {
    if (this.#imagesDirectory === undefined) throw new Error("the checkpoint images are gone");
    return this.#imagesDirectory;
  }

  // ---- dump and transfer ------------------------------------------------------------------------

  async #dump(): Promise<void> {
    try {
      await this.#ways().startLease();
      await this.#run.start(this.#images(), () => this.state === "dumping");
    } catch (thrown) {
      this.record.fail(failureOf("dump", thrown));
      await this.machine.send("criuEnded");
    }
  }

  async #watchDump(): Promise<void> {
    if (!(await this.#run.followAgain())) await this.machine.send("criuEnded");
  }

  async #dumpEnded(end: ProcessEnd | null): Promise<void> {
    const at = this.record.now();
    this.record.stats = await readStatistics(this.directory, "dump");
    // CRIU counts from the freeze to its end, the time in our hook included.
    const frozenFor = this.record.stats?.["frozen_time"];
    if (frozenFor !== undefined) this.record.mark("frozen", at - frozenFor / 1000);
    if (this.state === "dumping") this.record.fail(criuFailure("dump", end, await this.#run.log()));
    if (this.state === "held") this.record.fail(leaseFailure(end));
    await this.machine.send("criuEnded");
  }

  async #shipFinal(): Promise<void> {
    try {
      const answer = (await this.#joined()) ?? (await this.#shipAll());
      if (answer.state === "prepared") {
        this.record.verify("digests");
        await this.machine.send("peerPrepared");
        return;
      }
      const unexplained = {
        step: "restore",
        message: `the destination is ${answer.state}`,
        log: [],
        hint: null,
      };
      this.record.fail(answer.failure ?? unexplained);
      await this.machine.send("peerFailed");
    } catch (thrown) {
      this.record.fail(failureOf("transfer", thrown));
      await this.machine.send("shipFailed");
    }
  }

  async #shipAll(): Promise<PeerState> {
    const facts = await packUp(this.deps, this.directory, this.#images(), this.#request?.preserve ?? []);
    const files = await this.#ways().finishFiles(this.#images());
    this.record.mark("shipped");
    return this.#ways().final({ epoch: this.open.epoch, files, tree: facts, rounds: [] });
  }

  /** After a daemon's death the destination may have everything already: then its answer is all that lacks. */
  async #joined(): Promise<PeerState | undefined> {
    const { facts } = await this.#dumpedTree();
    if (facts === null || !(await this.#ways().hasAll())) return undefined;
    return this.#ways().final({ epoch: this.open.epoch, files: [], tree: facts, rounds: [] });
  }

  /** The container died while it held: nothing is frozen here any more, and the destination knows what it holds. */
  async #askPeer(): Promise<void> {
    const whole = await this.#ways()
      .hasAll()
      .catch(() => false);
    if (whole) return void (await this.machine.send("peerPrepared"));
    this.record.fail(failureOf("reborn", "the container ended while the service was frozen"));
    await this.machine.send("peerFailed");
  }

  // ---- verdict ----------------------------------------------------------------------------------

  async #decide(verdict: "released" | "aborted"): Promise<void> {
    const standing = await this.decide(verdict);
    await this.machine.send(standing === "released" ? "verdictReleased" : "verdictAborted");
  }

  /** Before it was written down nothing was released: the root alone says whether the service lives. */
  async #dumpedTree(): Promise<DumpedTree> {
    const { life, service } = this.deps;
    const root = service.process;
    const processes = root === undefined ? [] : [{ pid: root.pid, startTicks: root.startTicks }];
    return (await readTreeFile(this.directory)) ?? { life, facts: null, processes };
  }

  async #scene(): Promise<Scene> {
    const criuGone = await this.#run.watchEnd();
    return { tree: await this.#dumpedTree(), life: this.deps.life, criuGone, criuLog: () => this.#run.log() };
  }

  async #tell(fate: TreeFate): Promise<void> {
    await this.machine.send(fate);
  }

  async #killRest(): Promise<void> {
    await killAll(await this.#dumpedTree(), this.deps.life, this.deps.processes);
    await this.machine.send("treeDead");
  }

  /** The tombstone: nothing on this node starts this service again at this epoch. */
  async #bury(): Promise<void> {
    const { epoch, service } = this.open;
    await this.deps.service.forget();
    await this.deps.ownership.set({ epoch, role: "released", service });
  }

  async #tellReleased(): Promise<void> {
    this.record.proof = await this.#proof();
    this.record.verify("source-dead");
    const answer = await this.#shipping?.released(this.record.proof);
    if (answer?.state === "running" || answer?.state === "confirmed") this.record.mark("running");
    else if (answer?.failure) this.record.fail(answer.failure);
  }

  async #proof(): Promise<ReleaseProof> {
    const tree = await this.#dumpedTree();
    const { id, epoch } = this.open;
    return { id, epoch, kind: "dead", pids: tree.processes.map((process) => process.pid) };
  }

  // ---- the end ----------------------------------------------------------------------------------

  async #restoreBack(): Promise<void> {
    const { facts } = await this.#dumpedTree();
    const back = await restoreBack(this.deps, {
      directory: this.directory,
      images: this.#imagesDirectory,
      facts,
    });
    if ("failure" in back) {
      this.record.fail(back.failure);
      await this.machine.send("restoreFailed");
      return;
    }
    await this.deps.service.adopt(back.root);
    await this.machine.send("restoredBack");
  }

  protected async cleanUp(): Promise<void> {
    await this.#told;
    await this.#shipping?.close();
    const { epoch, service } = this.open;
    // The epoch is used up, so that no word of this migration is mistaken for one of the next.
    if (this.state !== "confirmed") await this.deps.ownership.set({ epoch, role: "owner", service });
    await rm(this.#requestFile(), { force: true });
    await removeImages(this.deps.paths, this.open.id);
  }

  /** Holds this migration's secret: removed when it is over. */
  #requestFile(): string {
    return join(this.directory, "switchover.json");
  }
}
