/** The source's half: executes sourceTable. What it decides stands in the table, how it is done stands here. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import {
  SwitchoverRequest,
  type FinalRequest,
  type OpenMigration,
  type ReleaseProof,
  type SourceStateName,
} from "../api.js";
import { readIfThere, replaceDurably } from "../durable.js";
import { dumpLog, ownDirectory, readLog } from "../engine.js";
import { findImages, removeImages } from "../images.js";
import type { ProcessEnd } from "../init-client.js";
import { isDead } from "../procfs.js";
import type { Tracked } from "../processes.js";
import { criuFailure, leaseFailure } from "./criu-failure.js";
import { recallRun, rememberRun, watchRun } from "./criu-watch.js";
import { awaitDeath, awaitResume } from "./death.js";
import { expectation, makeRoom, refuseStrays, treeFacts } from "./departure.js";
import { failureOf, Half, type HandOverDeps } from "./half.js";
import { packPreserved } from "./preserve.js";
import { restoreBack } from "./restore-back.js";
import { Shipping } from "./shipping.js";
import { readStatistics } from "./statistics.js";
import { sourceTable, type SourceAction, type SourceEvent } from "./table.js";
import { treeOwner } from "./tree-facts.js";
import { readTreeFile, survivors, writeTree, type DumpedTree } from "./tree-file.js";

export class SourceHalf extends Half<SourceStateName, SourceEvent, SourceAction> {
  #request: SwitchoverRequest | undefined;
  #shipping: Shipping | undefined;
  #criu: Tracked | undefined;
  #imagesDirectory: string | undefined;
  #told: Promise<void> = Promise.resolve();

  constructor(deps: HandOverDeps, open: OpenMigration, state: SourceStateName) {
    super(deps, open, sourceTable, state);
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
    const tree = await this.deps.service.tree();
    const owner = await treeOwner(tree);
    await refuseStrays(this.deps);
    const { bytes, images } = await makeRoom(this.deps, this.open.id);
    this.#imagesDirectory = images;
    await this.deps.engine.warm(owner);
    await this.#connect(request).announce(await expectation(this.open.epoch, tree, owner, bytes));
    await this.makeDirectory();
    await replaceDurably(this.#requestFile(), JSON.stringify(request));
    await this.machine.send("switchover");
  }

  async abort(): Promise<void> {
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
      createReleased: () => this.#decide("released"),
      createAborted: () => this.#decide("aborted"),
      awaitDeath: async () => void (await this.machine.send(await awaitDeath(await this.#scene()))),
      examineTree: async () => void (await this.machine.send(await awaitResume(await this.#scene()))),
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
      await this.#startDump();
    } catch (thrown) {
      this.record.fail(failureOf("dump", thrown));
      await this.machine.send("criuEnded");
    }
  }

  async #startDump(): Promise<void> {
    const root = this.deps.service.process;
    if (root === undefined) throw new Error("the service is not running");
    const owner = await treeOwner(await this.deps.service.tree());
    const imagesDir = join(this.#images(), "final");
    for (const path of [this.directory, this.#images(), imagesDir]) await ownDirectory(path, owner);
    await this.#ways().startLease();
    const job = { owner, imagesDir, workDir: this.directory, holdIn: this.directory, rootPid: root.pid };
    this.#criu = await this.deps.engine.dump(job);
    await rememberRun(this.directory, this.#criu, this.deps.life);
    this.#watch(this.#criu);
  }

  async #watchDump(): Promise<void> {
    this.#criu = await recallRun(this.directory, this.deps.processes, this.deps.life);
    if (this.#criu === undefined) await this.machine.send("criuEnded");
    else this.#watch(this.#criu);
  }

  #watch(criu: Tracked): void {
    watchRun(this.directory, criu, {
      held: () => void this.machine.send("held"),
      ended: (end) => void this.#dumpEnded(end),
    });
  }

  async #dumpEnded(end: ProcessEnd | null): Promise<void> {
    const at = this.record.now();
    this.record.stats = await readStatistics(this.directory, "dump");
    // CRIU counts from the freeze to its end, the time in our hook included.
    const frozenFor = this.record.stats?.["frozen_time"];
    if (frozenFor !== undefined) this.record.mark("frozen", at - frozenFor / 1000);
    if (this.state === "dumping")
      this.record.fail(criuFailure("dump", end, await readLog(dumpLog(this.directory))));
    if (this.state === "held") this.record.fail(leaseFailure(end));
    await this.machine.send("criuEnded");
  }

  async #shipFinal(): Promise<void> {
    try {
      const final = await this.#finalRequest();
      this.record.mark("shipped");
      const answer = await this.#ways().final(final);
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

  async #finalRequest(): Promise<FinalRequest> {
    const tree = await this.deps.service.tree();
    const processes = tree.map(({ pid, startTicks }) => ({ pid, startTicks }));
    await Promise.all([
      writeTree(this.directory, { life: this.deps.life, processes }),
      packPreserved(this.#images(), this.#request?.preserve ?? []),
    ]);
    const files = await this.#ways().finishFiles(this.#images());
    return { epoch: this.open.epoch, files, tree: await treeFacts(this.deps, tree) };
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
    return (await readTreeFile(this.directory)) ?? { life, processes };
  }

  async #scene() {
    const criu = this.#criu ?? (await recallRun(this.directory, this.deps.processes, this.deps.life));
    const criuGone = async (): Promise<boolean> => criu === undefined || isDead(criu);
    return { tree: await this.#dumpedTree(), life: this.deps.life, criuGone };
  }

  async #killRest(): Promise<void> {
    for (const process of await survivors(await this.#dumpedTree(), this.deps.life))
      await this.deps.processes.init.kill(process.pid, 9);
    await this.machine.send(await awaitDeath(await this.#scene()));
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
    const rootPid = (await this.#dumpedTree()).processes[0]?.pid ?? 0;
    const back = await restoreBack(this.deps, { directory: this.directory, images: this.#images(), rootPid });
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
