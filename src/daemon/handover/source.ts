/** The source's half: executes sourceTable. What it decides stands in the table, how it is done stands here. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../wait.js";
import { type OpenMigration, PeerState, type SourceStateName, SwitchoverRequest } from "../api.js";
import { readIfThere, replaceDurably } from "../durable.js";
import { dumpLog, ownDirectory, readLog, restoreLog, type TreeOwner } from "../engine.js";
import { findImages, makeImages, removeImages } from "../images.js";
import { headroom, memoryFacts } from "../memory.js";
import type { ProcessEnd } from "../init-client.js";
import { highestId, isDead, readStat, type ProcessStat } from "../procfs.js";
import type { Tracked } from "../processes.js";
import { connectPeer, type PeerClient } from "../transfer/client.js";
import { createShipper, type Shipper } from "../transfer/shipper.js";
import { setLease } from "../verdict.js";
import { criuFailure, leaseFailure } from "./criu-failure.js";
import { recallRun, rememberRun, watchRun } from "./criu-watch.js";
import { failureOf, Half, type HandOverDeps } from "./half.js";
import { packPreserved } from "./preserve.js";
import { retryLost } from "./retry.js";
import { readStatistics } from "./statistics.js";
import { sourceTable, type SourceAction, type SourceEvent } from "./table.js";
import { readTreeFile, survivors, writeTree, type DumpedTree } from "./tree-file.js";
import { directoryOwner, pipesOf, treeOwner } from "./tree-facts.js";

/** PIDs between the dumped tree's highest and the cursor: the tree may still fork until it is frozen. */
const cursorMargin = 64;

export class SourceHalf extends Half<SourceStateName, SourceEvent, SourceAction> {
  #request: SwitchoverRequest | undefined;
  #client: PeerClient | undefined;
  #shipper: Shipper | undefined;
  #criu: Tracked | undefined;
  #imagesDirectory: string | undefined;
  /** Ends the shipping and every question to the peer when the freeze is over. */
  readonly #frozen = new AbortController();
  readonly #over = new AbortController();
  #renewedAt = 0;

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
    await this.#refuseStrays();
    const bytes = await this.#makeRoom();
    this.#connect(request);
    await this.#expectUs(tree, owner, bytes, request);
    await this.deps.engine.warm(owner);
    await this.makeDirectory();
    await replaceDurably(this.#requestFile(), JSON.stringify(request));
    await this.machine.send("switchover");
  }

  async abort(): Promise<void> {
    this.record.fail({ step: "abort", message: "aborted on request", log: [], hint: null });
    await this.machine.send("abort");
    if (this.state === "aborting") await this.machine.reached(["aborted", "reclaimed", "released"]);
  }

  async confirm(): Promise<void> {
    if (await this.machine.send("confirm")) await this.#closing;
  }

  async keepSource(): Promise<void> {
    await this.machine.send("keepSource");
    await this.machine.reached(["reclaimed", "released", "confirmed", "aborted"]);
  }

  get frozen(): boolean {
    return ["held", "releasing"].includes(this.state);
  }

  protected entered(state: SourceStateName): void {
    this.record.mark(state);
    if (state !== "dumping" && state !== "held") this.#frozen.abort(new Error(`the source is ${state}`));
  }

  protected actions(): Record<SourceAction, () => Promise<void>> {
    return {
      dump: () => this.#dump(),
      watchDump: () => this.#watchDump(),
      ship: () => this.#ship(),
      shipFinal: () => this.#shipFinal(),
      createReleased: () => this.#decide("released"),
      createAborted: () => this.#decide("aborted"),
      awaitDeath: () => this.#awaitDeath(),
      examineTree: () => this.#examineTree(),
      killRest: () => this.#killRest(),
      bury: () => this.#bury(),
      tellReleased: () => this.#tellReleased(),
      tellAborted: () => this.#tellAborted(),
      restoreBack: () => this.#restoreBack(),
      close: () => this.#close(),
    };
  }

  // ---- before the freeze ------------------------------------------------------------------------

  async #refuseStrays(): Promise<void> {
    const children = await this.deps.processes.init.list();
    const ours = new Set(children.filter((child) => child.name !== "-").map((child) => child.pid));
    const strays = await this.deps.service.strays(new Set([...ours, process.pid]));
    if (strays.length === 0) return;
    const pids = strays.map((stray) => stray.pid).join(", ");
    throw new Error(`processes ${pids} left the service's tree (their parent ended): a dump would leave them behind`);
  }

  /** Bytes: what the tree has in memory, and a little for CRIU's own records. */
  async #makeRoom(): Promise<number> {
    const tree = await this.deps.service.describeTree();
    const bytes = tree.reduce((sum, process) => sum + process.rss, 16 * 1024 * 1024);
    const room = { memory: headroom(await memoryFacts()), reserve: 0 };
    this.#imagesDirectory = await makeImages(this.deps.paths, this.open.id, bytes, room);
    return bytes;
  }

  #connect(request: SwitchoverRequest): void {
    this.#request = request;
    this.#client?.close();
    this.#client = connectPeer(request.peer, { id: this.open.id });
  }

  async #expectUs(tree: ProcessStat[], owner: TreeOwner, bytes: number, request: SwitchoverRequest): Promise<void> {
    const highestPid = (await highestId(tree.map((process) => process.pid))) + cursorMargin;
    const { uid, gid } = owner;
    const body = { epoch: this.open.epoch, highestPid, uid, gid, bytes };
    await this.#peer().post("expect", body, PeerState, AbortSignal.timeout(request.lease));
  }

  #peer(): PeerClient {
    if (this.#client === undefined) throw new Error("no switchover was asked for yet");
    return this.#client;
  }

  #images(): string {
    if (this.#imagesDirectory === undefined) throw new Error("the checkpoint images are gone");
    return this.#imagesDirectory;
  }

  // ---- dump -------------------------------------------------------------------------------------

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
    await ownDirectory(this.directory, owner);
    await ownDirectory(this.#images(), owner);
    const imagesDir = join(this.#images(), "final");
    await ownDirectory(imagesDir, owner);
    await this.#renewLease();
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
    const frozenFor = this.record.stats?.["frozen_time"];
    if (frozenFor !== undefined) this.record.mark("frozen", at - frozenFor / 1000);
    if (this.state === "dumping") this.record.fail(criuFailure("dump", end, await readLog(dumpLog(this.directory))));
    if (this.state === "held") this.record.fail(leaseFailure(end));
    await this.machine.send("criuEnded");
  }

  // ---- transfer ---------------------------------------------------------------------------------

  async #ship(): Promise<void> {
    this.#shipper = createShipper({
      root: this.#images(),
      client: this.#peer(),
      signal: this.#frozen.signal,
      onProgress: (progress) => {
        this.record.transfer = progress;
        void this.#renewLease();
      },
    });
    this.#shipper.follow("final");
  }

  async #shipFinal(): Promise<void> {
    try {
      if (this.#shipper === undefined) await this.#ship();
      const final = await this.#finalRequest();
      this.record.mark("shipped");
      const answer = await this.#askUntilAnswered(() => this.#peer().final(final, this.#frozen.signal));
      if (answer.state === "prepared") {
        this.record.verify("digests");
        await this.machine.send("peerPrepared");
        return;
      }
      this.record.fail(answer.failure ?? { step: "restore", message: `the destination is ${answer.state}`, log: [], hint: null });
      await this.machine.send("peerFailed");
    } catch (thrown) {
      this.record.fail(failureOf("transfer", thrown));
      await this.machine.send("shipFailed");
    }
  }

  async #finalRequest() {
    const tree = await this.deps.service.tree();
    const owner = await treeOwner(tree);
    await writeTree(this.directory, { life: this.deps.life, processes: tree.map(({ pid, startTicks }) => ({ pid, startTicks })) });
    const pipes = await pipesOf(tree, await this.deps.processes.init.pipes());
    await packPreserved(this.#images(), this.#request?.preserve ?? []);
    const files = await (this.#shipper as Shipper).finish();
    const highestPid = await highestId(tree.map((process) => process.pid));
    const { uid, gid, groups } = owner;
    const facts = { rootPid: tree[0]?.pid ?? 0, highestPid, uid, gid, groups: [...groups], stdoutInode: pipes.stdout, stderrInode: pipes.stderr };
    return { epoch: this.open.epoch, files, tree: facts };
  }

  /** A lost link is asked again until the lease, which only verified progress renews, is over. */
  async #askUntilAnswered(ask: () => Promise<PeerState>): Promise<PeerState> {
    const alive = setInterval(() => void this.#renewWhilePeerWorks(), (this.#request?.lease ?? 0) / 4);
    try {
      return await retryLost(ask, this.#frozen.signal);
    } finally {
      clearInterval(alive);
    }
  }

  async #renewWhilePeerWorks(): Promise<void> {
    const { state } = await this.#peer().post("state", {}, PeerState, this.#frozen.signal);
    if (state === "restoring") await this.#renewLease();
  }

  /** At most four times a lease, never past the deadline. */
  async #renewLease(): Promise<void> {
    if (this.#request === undefined) return;
    const { lease, deadline } = this.#request;
    const now = this.record.now();
    if (this.#renewedAt > 0 && now - this.#renewedAt < lease / 4) return;
    this.#renewedAt = Math.max(now, 1);
    await setLease(this.directory, Math.min(lease, deadline - now));
  }

  // ---- verdict ----------------------------------------------------------------------------------

  async #decide(verdict: "released" | "aborted"): Promise<void> {
    const standing = await this.decide(verdict);
    await this.machine.send(standing === "released" ? "verdictReleased" : "verdictAborted");
  }

  async #dumpedTree(): Promise<DumpedTree> {
    const tree = await readTreeFile(this.directory);
    if (tree !== undefined) return tree;
    const { pid, startTicks } = this.deps.service.process ?? { pid: 0, startTicks: 0 };
    return { life: this.deps.life, processes: pid === 0 ? [] : [{ pid, startTicks }] };
  }

  async #criuGone(): Promise<boolean> {
    const criu = this.#criu ?? (await recallRun(this.directory, this.deps.processes, this.deps.life));
    return criu === undefined || isDead(criu);
  }

  /** CRIU kills the tree after `released`; where CRIU itself was killed first, the tree goes on by itself. */
  async #awaitDeath(): Promise<void> {
    const tree = await this.#dumpedTree();
    for (;;) {
      const gone = await this.#criuGone();
      const alive = await survivors(tree, this.deps.life);
      if (alive.length === 0) return void (await this.machine.send("treeDead"));
      if (gone) return void (await this.machine.send(alive.length === tree.processes.length ? "treeAlive" : "treePartlyDead"));
      await pause(1);
    }
  }

  /** After `aborted`: CRIU lets the tree go and ends; only then does it serve again. */
  async #examineTree(): Promise<void> {
    while (!(await this.#criuGone())) await pause(5);
    const tree = await this.#dumpedTree();
    const root = tree.processes[0];
    for (let stopped = root !== undefined; stopped; await pause(5)) {
      const state = root === undefined ? undefined : (await readStat(root.pid))?.state;
      stopped = state === "t" || state === "T";
      if (!stopped) break;
    }
    const alive = await survivors(tree, this.deps.life);
    await this.machine.send(alive.length === 0 ? "treeDead" : alive.length < tree.processes.length ? "treePartlyDead" : "treeAlive");
  }

  async #killRest(): Promise<void> {
    for (const process of await survivors(await this.#dumpedTree(), this.deps.life))
      await this.deps.processes.init.kill(process.pid, 9);
    await this.#awaitDeath();
  }

  /** The tombstone: nothing on this node starts this service again at this epoch. */
  async #bury(): Promise<void> {
    const { epoch, service } = this.open;
    await this.deps.service.forget();
    await this.deps.ownership.set({ epoch, role: "released", service });
  }

  async #proof() {
    const tree = await this.#dumpedTree();
    const { id, epoch } = this.open;
    return { id, epoch, kind: "dead" as const, pids: tree.processes.map((process) => process.pid) };
  }

  /** Until it is answered or the migration is confirmed by somebody who carried the proof over. */
  async #tellReleased(): Promise<void> {
    this.record.proof = await this.#proof();
    this.record.verify("source-dead");
    if (this.#client === undefined) return;
    const proof = this.record.proof;
    const answer = await retryLost(() => this.#peer().released(proof, this.#over.signal), this.#over.signal).catch(() => undefined);
    if (answer === undefined) return;
    if (answer.state === "running" || answer.state === "confirmed") this.record.mark("running");
    else this.record.fail(answer.failure ?? { step: "resume", message: `the destination is ${answer.state}`, log: [], hint: null });
  }

  /** A courtesy: the destination holds without executing until somebody tells it. */
  async #tellAborted(): Promise<void> {
    if (this.#client === undefined) return;
    await this.#client.aborted(AbortSignal.timeout(2000)).catch(() => undefined);
    this.#client.close();
  }

  // ---- the end ----------------------------------------------------------------------------------

  /** The operator's word that the destination is fenced: the images come back to life here. */
  async #restoreBack(): Promise<void> {
    const tree = await this.#dumpedTree();
    const rootPid = tree.processes[0]?.pid ?? 0;
    const owner = await directoryOwner(this.directory);
    const pipes = await this.deps.processes.init.pipes();
    const job = { owner, imagesDir: join(this.#images(), "final"), workDir: this.directory, pipes };
    const criu = await this.deps.engine.restore(job);
    const end = await criu.ended;
    const root = await readStat(rootPid);
    if (end?.kind === "exited" && end.code === 0 && root !== undefined) {
      await this.deps.service.adopt(root);
      await this.machine.send("restoredBack");
      return;
    }
    this.record.fail(criuFailure("restore", end, await readLog(restoreLog(this.directory))));
    await this.machine.send("restoreFailed");
  }

  #closing: Promise<void> = Promise.resolve();

  async #close(): Promise<void> {
    this.#closing = this.#doClose();
    await this.#closing;
  }

  async #doClose(): Promise<void> {
    this.#over.abort(new Error("the migration is over"));
    await this.#shipper?.close();
    if (this.state !== "confirmed") await this.#keepOwning();
    else this.#client?.close();
    await rm(this.#requestFile(), { force: true });
    await removeImages(this.deps.paths, this.open.id);
    await this.finish(undefined);
  }

  /** The epoch is used up, so that no word of this migration is mistaken for one of the next. */
  async #keepOwning(): Promise<void> {
    const { epoch, service } = this.open;
    await this.deps.ownership.set({ epoch, role: "owner", service });
  }

  /** Holds this migration's secret: removed when it is over. */
  #requestFile(): string {
    return join(this.directory, "switchover.json");
  }
}
