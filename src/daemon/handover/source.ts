/** The source's half: executes sourceTable. What it decides stands in the table, how it is done stands here. */
import {
  type SwitchoverRequest,
  type Peer,
  type RoundRequest,
  type TuneRequest,
  type OpenMigration,
  type PeerState,
  type SourceStateName,
} from "../api.js";
import { findImages, removeImages } from "../images.js";
import type { ProcessEnd } from "../init-client.js";
import { leaseFailure } from "./criu-failure.js";
import { noteTree, prepareDeparture, reserveForDump } from "./departure.js";
import { DumpRun } from "./dump-run.js";
import { failureOf, given, Half, type HandOverDeps } from "./half.js";
import { Conflict } from "../refusals.js";
import { restoreBack } from "./restore-back.js";
import { Rounds } from "./rounds.js";
import { Shipping } from "./shipping.js";
import { readSwitchover, removeSwitchover, writeSwitchover } from "./switchover-file.js";
import { sourceTable, type SourceAction, type SourceEvent } from "./table.js";
import { TreeWatch } from "./tree-watch.js";

export class SourceHalf extends Half<SourceStateName, SourceEvent, SourceAction> {
  #shipping: Shipping | undefined;
  readonly #run: DumpRun;
  readonly #tree: TreeWatch;
  readonly #rounds: Rounds;
  #imagesDirectory: string | undefined;
  #told: Promise<void> = Promise.resolve();
  /** Resolves when the destination has answered to the release; undefined: it was not told yet. */
  #handedOver: Promise<void> | undefined;
  #preparing: Promise<void> | undefined;

  constructor(deps: HandOverDeps, open: OpenMigration, state: SourceStateName) {
    super(deps, open, sourceTable, state);
    this.#rounds = new Rounds(deps, this.record, this.directory);
    this.#run = new DumpRun(deps, this.directory, {
      held: () => {
        // What was written may go before it is journalled that it was; a later daemon asks first what the peer has.
        if (this.state === "dumping") void this.#ways().finishFiles(this.#images());
        void this.machine.send("held");
      },
      ended: (end, stats, ago) => {
        this.record.noteDump(stats, ago);
        void this.#dumpEnded(end);
      },
    });
    this.#tree = new TreeWatch(deps, this.directory, this.#run);
  }

  /** Goes on where an earlier daemon, or an earlier life of the container, stopped. */
  async recover(reborn: boolean): Promise<void> {
    await this.loadVerdict();
    await this.#rounds.recover();
    if (this.state === "opened") await this.#run.discard();
    this.#imagesDirectory = await findImages(this.deps.paths, this.open.id);
    const request = await readSwitchover(this.directory);
    if (request !== undefined) this.#connect(request);
    await this.machine.send(reborn ? "reborn" : "restarted");
  }

  /** Answers why the peer is not reached from here; null: it is. Throws a Conflict where another peer is being talked to. */
  reach(peer: Peer): Promise<string | null> {
    this.#refuseUnlessOpened("no other way can be tried");
    return this.#rounds.way.reach(peer);
  }

  /** Resolves when the round has begun. Throws a Conflict where the state or the tree does not allow one. */
  async round(request: RoundRequest): Promise<void> {
    this.#refuseUnlessOpened("no round can be made");
    await this.#rounds.begin(request);
  }

  #refuseUnlessOpened(what: string): void {
    if (this.state !== "opened" || this.#preparing !== undefined)
      throw new Conflict("SWITCHOVER_UNDER_WAY", `${what}: the migration is ${this.state}`);
  }

  /** Heeded at once by what is being copied. */
  async tune(request: TuneRequest): Promise<void> {
    await this.#rounds.tune(request);
    if (request.bandwidth !== undefined) this.#shipping?.tune(request.bandwidth);
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
    await this.#rounds.rest();
    const leg = { round: null, chain: this.#rounds.chain, preserve: request.preserve };
    const { images, expected } = await prepareDeparture(this.deps, this.open, leg);
    this.#imagesDirectory = images;
    const announced = this.#connect(request).announce(expected, this.#rounds);
    const up = this.#run.getReady(images, leg.chain, expected);
    const ready = up.then(() => writeSwitchover(this.directory, request));
    const work = [announced, reserveForDump(images, expected), ready, this.prepareVerdict("released")];
    // Refused or not: what writes here has ended before anybody removes the images.
    await Promise.allSettled(work);
    await Promise.all(work).catch((why: unknown) => this.#run.giveUp(why));
    await this.machine.send("switchover");
  }

  async abort(): Promise<void> {
    // What is under way or being prepared ends first: its files would be left behind.
    await this.#rounds.stop("the migration was aborted");
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
    if (this.state === "restoringBack" || this.state === "aborting")
      await this.machine.reached(["reclaimed", "released", "aborted"]);
    await this.closed();
  }

  get frozen(): boolean {
    return this.state === "held" || this.state === "releasing";
  }

  protected async atRest(signal: AbortSignal): Promise<void> {
    if (this.state === "opened") return this.#rounds.atRest;
    await this.machine.reached(["released", "aborted", "reclaimed", "confirmed"], signal);
    await Promise.all([this.#handedOver, this.#run.over()]);
  }

  protected entered(state: SourceStateName): void {
    this.record.mark(state);
    this.#shipping?.entered(state);
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
      awaitDeath: () => this.#awaitDeath(),
      examineTree: async () => void (await this.machine.send(await this.#tree.resumed())),
      killRest: () => this.#killRest(),
      bury: () => this.#bury(),
      tellReleased: () => (this.#handedOver ??= this.#tellReleased()),
      tellAborted: () => (this.#told = this.#shipping?.aborted() ?? Promise.resolve()),
      restoreBack: () => this.#restoreBack(),
      close: () => this.close(),
    };
  }

  // ---- before the freeze ------------------------------------------------------------------------

  #connect(request: SwitchoverRequest): Shipping {
    return (this.#shipping = new Shipping({
      way: this.#rounds.way,
      directory: this.directory,
      request,
      onProgress: (progress) => (this.record.transfer = progress),
    }));
  }

  #ways(): Shipping {
    return given(this.#shipping, "no switchover was asked for yet");
  }

  #images(): string {
    return given(this.#imagesDirectory, "the checkpoint images are gone");
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
    if (this.state === "dumping") this.record.fail(await this.#run.failure(end));
    if (this.state === "held") this.record.fail(leaseFailure(end));
    await this.machine.send("criuEnded");
  }

  async #shipFinal(): Promise<void> {
    try {
      const answer = (await this.#joined()) ?? (await this.#shipAll());
      if (answer.state === "prepared") {
        this.record.verify("digests");
        return void (await this.machine.send("peerPrepared"));
      }
      const unexplained = failureOf("restore", new Error(`the destination is ${answer.state}`));
      this.record.fail(answer.failure ?? unexplained);
      await this.machine.send("peerFailed");
    } catch (thrown) {
      this.record.fail(failureOf("transfer", thrown));
      await this.machine.send("shipFailed");
    }
  }

  async #shipAll(): Promise<PeerState> {
    const shipped = this.#ways().finishFiles(this.#images());
    const [files, tree] = await Promise.all([shipped, noteTree(this.deps, this.directory)]);
    this.record.mark("shipped");
    return this.#ways().final({ epoch: this.open.epoch, files, tree });
  }

  /** After a daemon's death the destination may have everything already: then its answer is all that lacks. */
  async #joined(): Promise<PeerState | undefined> {
    const { facts } = await this.#tree.tree();
    if (facts === null || !(await this.#ways().hasAll())) return undefined;
    return this.#ways().final({ epoch: this.open.epoch, files: [], tree: facts });
  }

  /** The container died while it held: nothing is frozen here any more, and the destination knows whether it can run the service. */
  async #askPeer(): Promise<void> {
    // What it aborted, or had not shipped, is nobody's.
    const answer =
      this.record.verdict === "aborted" ? undefined : await this.#joined().catch(() => undefined);
    if (answer !== undefined && answer.state !== "discarded")
      return void (await this.machine.send("peerPrepared"));
    this.record.fail(failureOf("reborn", "the container ended while the service was frozen"));
    await this.machine.send("peerFailed");
  }

  // ---- verdict ----------------------------------------------------------------------------------

  async #decide(verdict: "released" | "aborted"): Promise<void> {
    const standing = await this.decide(verdict);
    await this.machine.send(standing === "released" ? "verdictReleased" : "verdictAborted");
  }

  /** The verdict is on the disk: a daemon that finds that alone awaits the death anew, and tells again. */
  async #awaitDeath(): Promise<void> {
    const fate = await this.#tree.death();
    if (fate === "treeDead") void (this.#handedOver = this.#tellReleased()).catch(() => undefined);
    await this.machine.send(fate);
  }

  async #killRest(): Promise<void> {
    await this.#tree.killRest();
    await this.machine.send("treeDead");
  }

  /** The tombstone: nothing on this node starts this service again at this epoch. */
  async #bury(): Promise<void> {
    const { epoch, service } = this.open;
    await this.deps.service.forget();
    await this.deps.ownership.set({ epoch, role: "released", service });
  }

  async #tellReleased(): Promise<void> {
    this.record.proof = await this.#tree.proof(this.open);
    this.record.verify("source-dead");
    const answer = await this.#shipping?.released(this.record.proof);
    if (answer?.state === "running" || answer?.state === "confirmed") this.record.mark("running");
    else if (answer?.failure) this.record.fail(answer.failure);
  }

  // ---- the end ----------------------------------------------------------------------------------

  async #restoreBack(): Promise<void> {
    const [{ facts }, images] = [await this.#tree.tree(), this.#imagesDirectory];
    const back = await restoreBack(this.deps, { directory: this.directory, images, facts });
    if ("failure" in back) {
      this.record.fail(back.failure);
      return void (await this.machine.send(back.event));
    }
    await this.deps.service.adopt(back.root);
    await this.machine.send("restoredBack");
  }

  protected async cleanUp(): Promise<void> {
    await this.#told;
    await this.#run.over();
    await this.#shipping?.close();
    this.#rounds.way.close();
    const { epoch, service } = this.open;
    // The epoch is used up, so that no word of this migration is mistaken for one of the next.
    if (this.state !== "confirmed") await this.deps.ownership.set({ epoch, role: "owner", service });
    await removeSwitchover(this.directory);
    await removeImages(this.deps.paths, this.open.id);
  }
}
