/** The destination's half: executes destinationTable. What it decides stands in the table, how it is done stands here. */
import {
  type DestinationStateName,
  type ExpectRequest,
  type FinalRequest,
  type ListenRequest,
  type OpenMigration,
  type PeerState,
  type ReleaseProof,
  type RoundArrived,
} from "../api.js";
import { removeFile } from "../at-once.js";
import { readIfThere } from "../durable.js";
import { readLog, restoreLog, restorePidFile } from "../engine.js";
import { findImages, removeImages } from "../images.js";
import type { ProcessEnd } from "../init-client.js";
import { readStat } from "../procfs.js";
import { succeeded } from "../processes.js";
import { Conflict } from "../refusals.js";
import type { Answers } from "../router.js";
import { Arrivals } from "./arrivals.js";
import { criuFailure } from "./criu-failure.js";
import { FinalList } from "./final-list.js";
import { failureOf, given, Half, lost, type HandOverDeps } from "./half.js";
import { killTree } from "./kill.js";
import { unpackPreserved } from "../preserve.js";
import { RestoreRun } from "./restore-run.js";
import { readStatistics, removeStatistics } from "./statistics.js";
import { makePlace, makeWay } from "./place.js";
import { destinationTable, type DestinationAction, type DestinationEvent } from "./table.js";

/** Nothing comes any more but what somebody asks for. */
const resting = ["inDoubt", "discarded", "running", "confirmed"] as const;
const settled = ["prepared", ...resting] as const;

export class DestinationHalf extends Half<DestinationStateName, DestinationEvent, DestinationAction> {
  readonly arrivals: Arrivals;
  readonly #run: RestoreRun;
  readonly #list: FinalList;
  #resumeFailedBefore = false;

  /** @param answers for the source's daemon. */
  constructor(deps: HandOverDeps, open: OpenMigration, state: DestinationStateName, answers: Answers) {
    super(deps, open, destinationTable, state);
    this.#list = new FinalList(this.directory);
    this.#run = new RestoreRun(deps, this.directory, {
      held: () => this.#held(),
      ended: (end, held) => void this.#criuEnded(end, held),
    });
    const onTaken = (): Promise<void> => this.#taken();
    const { directory } = this;
    const { pageLists, log } = deps;
    this.arrivals = new Arrivals({ id: open.id, directory, answers, onTaken, pageLists, log });
  }

  async recover(reborn: boolean): Promise<void> {
    await this.loadVerdict();
    await this.makeDirectory();
    await this.arrivals.reopen(this.#arriving ? await findImages(this.deps.paths, this.open.id) : undefined);
    await this.machine.send(reborn ? "reborn" : "restarted");
  }

  // ---- what the CLI asks ------------------------------------------------------------------------

  async listen(request: ListenRequest): Promise<void> {
    await this.makeDirectory();
    await this.arrivals.listen(request);
  }

  async abort(sourceAborted: boolean): Promise<void> {
    await this.machine.send(sourceAborted ? "sourceAborted" : "abort");
    if (this.state === "discarding") await this.machine.reached(["discarded", ...settled]);
    await this.closed();
  }

  async keepSource(): Promise<void> {
    await this.machine.send("keepSource");
    if (this.state === "discarding") await this.machine.reached(["discarded"]);
    await this.closed();
  }

  /** The operator's word stands for the proof that the source is dead. */
  async keepDestination(): Promise<void> {
    const { id, epoch } = this.open;
    const images = await findImages(this.deps.paths, id);
    if (this.state !== "inDoubt" || images !== undefined) {
      if (this.state === "inDoubt") await this.#forgetResume();
      return void (await this.released({ id, epoch, kind: "stopped", pids: [] }));
    }
    this.record.fail(failureOf("restore", lost()));
    await this.machine.send("imagesGone");
    await this.machine.reached(["discarded"]);
    await this.closed();
  }

  async confirm(): Promise<void> {
    if (await this.machine.send("confirm")) await this.machine.reached(["confirmed"]);
    await this.closed();
  }

  // ---- what the source's daemon asks ------------------------------------------------------------

  /** Makes room, moves the PID cursor past what will be restored, and gets CRIU ready; the service still runs at the source. */
  async expect(request: ExpectRequest): Promise<void> {
    if (!this.#arriving)
      throw new Conflict("NOT_EXPECTED", `no images are expected here: the migration is ${this.state}`);
    const images = await makePlace(this.deps, this.open.id, request);
    await this.makeDirectory();
    await this.arrivals.expect(images, request);
    await this.#run.makeWay(request.highestPid);
    const { uid, gid, groups, stdoutInode, stderrInode } = request;
    await this.deps.engine.warm({ uid, gid, groups });
    if (request.round === null) this.#run.comeUp({ uid, gid, groups, stdoutInode, stderrInode });
  }

  /** Returns only where every byte of the round is here. */
  async round(arrived: RoundArrived): Promise<void> {
    await this.arrivals.takeRound(arrived);
  }

  /** A round failed at the source: nothing will build on any of them. */
  async forget(): Promise<void> {
    if (this.#arriving) await this.arrivals.forgetRounds();
  }

  get #arriving(): boolean {
    return this.state === "opened" || this.state === "receiving";
  }

  async #taken(): Promise<void> {
    const { bytes, files } = this.arrivals.progress();
    this.record.transfer = { bytes, total: Math.max(bytes, this.record.transfer.total), files };
    if (this.state === "opened") await this.machine.send("segment");
  }

  /** Answers when the tree is held, or never will be. Asked again after a lost answer, it joins what is under way. */
  async final(request: FinalRequest): Promise<PeerState> {
    if (this.#arriving) {
      await makeWay(this.deps, request.tree.highestPid);
      // That it is kept says nothing yet: a later daemon reads it only where the journal says that it was verified.
      await Promise.all([this.arrivals.verify(request), this.#list.keep(request)]);
      this.record.mark("verified");
      this.record.verify("digests");
      await this.machine.send("final");
    }
    await this.machine.reached(settled);
    return this.peerState();
  }

  /** Answers when the tree runs. */
  async released(proof: ReleaseProof): Promise<PeerState> {
    const { id, epoch } = this.open;
    if (proof.id !== id || proof.epoch !== epoch)
      throw new Conflict("WRONG_PROOF", `this is migration ${id}, epoch ${epoch}`);
    if (this.state === "reviving")
      await this.machine.reached(["prepared", "inDoubt", "discarding", "discarded"]);
    this.record.proof = proof;
    await this.machine.send("released");
    if (this.state === "resuming") await this.machine.reached(["running", "inDoubt", "discarded"]);
    return this.peerState();
  }

  async aborted(): Promise<PeerState> {
    await this.abort(true);
    return this.peerState();
  }

  peerState(): PeerState {
    return { state: this.state, failure: this.record.failure };
  }

  get held(): boolean {
    return this.state === "prepared" || this.state === "restoring" || this.state === "resuming";
  }

  protected atRest(signal: AbortSignal): Promise<unknown> {
    return this.machine.reached(resting, signal);
  }

  protected entered(state: DestinationStateName): void {
    this.record.mark(state);
  }

  protected actions(): Record<DestinationAction, () => Promise<void>> {
    return {
      restore: () => this.#restore(),
      watchRestore: () => this.#watchRestore(),
      createRunning: () => this.#decide("running"),
      createAborted: () => this.#decide("aborted"),
      awaitResume: () => this.#awaitResume(),
      examineVerdict: async () =>
        void (await this.machine.send(this.record.verdict === "running" ? "resumed" : "resumeUnsure")),
      takeOver: () => this.#takeOver(),
      discard: () => this.#discard(),
      close: () => this.close(),
    };
  }

  // ---- restore ----------------------------------------------------------------------------------

  async #restore(): Promise<void> {
    try {
      await this.#startRestore((await this.#list.read()).tree);
    } catch (thrown) {
      this.record.fail(failureOf("restore", thrown));
      await this.machine.send("restoreFailed");
    }
  }

  async #startRestore(tree: FinalRequest["tree"]): Promise<void> {
    const found = await findImages(this.deps.paths, this.open.id);
    const images = given(found, "the checkpoint images are gone");
    await unpackPreserved(images);
    await this.#run.start(images, tree);
  }

  async #watchRestore(): Promise<void> {
    const began = this.state;
    // A CRIU that was let go meanwhile has ended well: what runs now must not be restored over.
    if ((await this.#run.followAgain()) || this.state !== began) return;
    // What was prepared is held no more: that has to be said before it is restored again.
    if (this.state === "prepared") await this.machine.send("criuEnded");
    else await this.#restore();
  }

  #held(): void {
    this.record.verify("stdio");
    void this.machine.send("held");
  }

  async #criuEnded(end: ProcessEnd | null, held: boolean): Promise<void> {
    this.record.stats = await readStatistics(this.directory, "restore");
    if (!held && !succeeded(end)) {
      this.record.fail(criuFailure("restore", end, await readLog(restoreLog(this.directory))));
      return void (await this.machine.send("restoreFailed"));
    }
    await this.machine.send("criuEnded");
  }

  // ---- resume -----------------------------------------------------------------------------------

  async #decide(verdict: "running" | "aborted"): Promise<void> {
    const standing = await this.decide(verdict);
    await this.machine.send(standing === "running" ? "verdictRunning" : "verdictAborted");
  }

  async #awaitResume(): Promise<void> {
    const end = await this.#run.end();
    // There only where CRIU let the tasks go; and whoever hears that they run hears of it too.
    this.record.stats = await readStatistics(this.directory, "restore");
    if (succeeded(end) || this.record.stats !== null) return void (await this.machine.send("resumed"));
    this.record.fail(criuFailure("resume", end, await readLog(restoreLog(this.directory))));
    // CRIU writes the root's PID after our hook and before it lets any task go: no such file, no task was resumed.
    const touched = (await readIfThere(restorePidFile(this.directory))) !== undefined;
    if (touched || this.#resumeFailedBefore) return void (await this.machine.send("resumeUnsure"));
    this.#resumeFailedBefore = true;
    await this.machine.send("resumeFailed");
  }

  /** Whatever began to run may be killed and restored anew: somebody wants it so. */
  async #forgetResume(): Promise<void> {
    await removeFile(restorePidFile(this.directory));
    await removeStatistics(this.directory, "restore");
    this.#resumeFailedBefore = false;
  }

  async #takeOver(): Promise<void> {
    const { epoch, service } = this.open;
    await this.deps.ownership.set({ epoch, role: "owner", service });
    const { rootPid } = (await this.#list.read()).tree;
    // Where it ended right away, it is adopted all the same: its end is told like any other.
    await this.deps.service.adopt((await readStat(rootPid)) ?? { pid: rootPid, startTicks: 0 });
  }

  // ---- discard ----------------------------------------------------------------------------------

  async #discard(): Promise<void> {
    await this.#run.discard();
    const final = await this.#list.read().catch(() => undefined);
    if (final !== undefined) await killTree(final.tree.rootPid, this.deps.processes);
    await this.machine.send("discarded");
  }

  protected async cleanUp(): Promise<void> {
    await this.arrivals.close();
    await removeImages(this.deps.paths, this.open.id);
    if (this.state === "discarded") await this.#useUpEpoch();
  }

  async #useUpEpoch(): Promise<void> {
    const { role, service } = this.deps.ownership.get();
    await this.deps.ownership.set({ epoch: this.open.epoch, role, service });
  }
}
