/** Freezes the service into an image: CRIU's images go into the shards as they come, the manifest is written last. */
import { rm } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { newObjects, publish } from "../../image/image.js";
import { makeKeys, type Keys, type KeySource } from "../../image/keys.js";
import { type Manifest, writeManifest } from "../../image/manifest.js";
import { openStore, type Store } from "../../image/store.js";
import { type ImageUrl, parseImageUrl } from "../../image/url.js";
import { readProcessor } from "../../instructions.js";
import { orAfter } from "../../wait.js";
import type { CheckpointRequest, FinalRequest } from "../api.js";
import { readText } from "../at-once.js";
import type { TreeOwner } from "../engine.js";
import { noteTree, refuseStrays } from "../handover/departure.js";
import { DumpRun, finalIn } from "../handover/dump-run.js";
import { Failed } from "../handover/half.js";
import { Lease } from "../handover/lease.js";
import { treeOwner } from "../handover/tree-facts.js";
import { TreeWatch } from "../handover/tree-watch.js";
import { migrationDirectory } from "../paths.js";
import { packInto, preservable, preservedArchive } from "../preserve.js";
import { decide, readVerdict } from "../verdict.js";
import { makePipe } from "../waiting.js";
import type { ImageDeps } from "./deps.js";
import { ProgressLimit } from "./limit.js";
import { refuseOwnLayer } from "./own-layer.js";
import type { WorkRecord } from "./record.js";
import { type Capture, type Captured, startCapture } from "./shards.js";

/** Milliseconds in which it is known whether the shards failed before CRIU did. */
const lastWords = 1000;

export class Checkpoint {
  readonly #deps: ImageDeps;
  readonly #request: CheckpointRequest;
  readonly #record: WorkRecord;
  readonly #url: ImageUrl;
  readonly #store: Store;
  readonly #objects: ReturnType<typeof newObjects>;
  /** Where the hook waits; where CRIU meets the shards. */
  readonly #directory: string;
  readonly #images: string;
  readonly #run: DumpRun;
  readonly #tree: TreeWatch;
  readonly #lease: Lease;
  readonly #held = Promise.withResolvers<void>();
  /** Paths that were packed. */
  #preserved: string[] = [];

  /** Throws IMAGE_URL. The service runs. */
  constructor(deps: ImageDeps, request: CheckpointRequest, record: WorkRecord) {
    this.#deps = deps;
    this.#request = request;
    this.#record = record;
    this.#url = parseImageUrl(request.url);
    this.#store = openStore(this.#url);
    this.#objects = newObjects(request.id, request.shards);
    this.#directory = migrationDirectory(deps.paths, request.id);
    this.#images = join(deps.paths.images, request.id);
    this.#lease = new Lease(this.#directory, request);
    this.#run = new DumpRun(deps, this.#directory, {
      held: () => this.#held.resolve(),
      ended: (end) => void this.#run.failure(end).then((failure) => this.#held.reject(new Failed(failure))),
    });
    this.#held.promise.catch(() => undefined);
    this.#tree = new TreeWatch(deps, this.#directory, this.#run);
  }

  /**
   * Resolves when the image is whole and the service has ended or goes on, as asked. Where it rejects, the service may still be
   * frozen: `recover` brings it to an end.
   */
  async make(): Promise<void> {
    await refuseOwnLayer(this.#url);
    const { passphrase } = this.#request;
    const made = makeKeys(passphrase === null ? null : Buffer.from(passphrase, "base64"));
    made.catch(() => undefined);
    const owner = await treeOwner(await this.#deps.service.tree());
    await refuseStrays(this.#deps);
    await this.#deps.engine.warm(owner);
    const { index, shards } = this.#objects;
    const paths = await this.#store.create([index, ...shards]);
    try {
      await this.#run.getReady(this.#images, "streamed", owner);
      const { keys, source } = await made;
      const { captured, facts } = await this.#freeze(owner, keys, paths);
      await this.#conclude(captured, facts, keys, source);
    } finally {
      await rm(this.#images, { recursive: true, force: true });
    }
  }

  async #freeze(
    owner: TreeOwner,
    keys: Keys,
    [index = "", ...shards]: string[],
  ): Promise<{ captured: Captured; facts: FinalRequest["tree"] }> {
    const { packing, passphrase } = this.#request;
    const meeting = { directory: finalIn(this.#images), uid: owner.uid };
    const settings = { packing, secret: passphrase !== null, keys };
    const limit = new ProgressLimit(this.#request);
    try {
      const capture = await startCapture(meeting, { index, shards }, settings, (progress) => {
        this.#record.note(progress);
        limit.progress();
        void this.#lease.renew();
      });
      return await this.#take(capture, limit.over).finally(() => capture.stop());
    } finally {
      limit.end();
    }
  }

  /** @param late rejects when it takes too long. */
  async #take(
    capture: Capture,
    late: Promise<never>,
  ): Promise<{ captured: Captured; facts: FinalRequest["tree"] }> {
    const ends = [late, this.#record.aborted];
    await this.#lease.renew();
    this.#record.enter("frozen");
    this.#record.froze();
    await this.#run.start(this.#images, () => true);
    await Promise.race([this.#heldWith(capture), ...ends]);
    const all = Promise.all([this.#finish(capture), noteTree(this.#deps, this.#directory)]);
    const [captured, facts] = await Promise.race([all, ...ends]);
    // Where the hook let the tree go meanwhile, the files beside the memory may be of later than that.
    if ((await readVerdict(this.#directory)) !== null) throw leaseOver();
    return { captured, facts };
  }

  /** Resolves when the tree is frozen and dumped. */
  async #heldWith(capture: Capture): Promise<void> {
    try {
      await Promise.race([this.#held.promise, capture.ended.then(() => this.#held.promise)]);
    } catch (thrown) {
      // CRIU ends where nobody reads its pipes any more: then it is whoever did who says why.
      await orAfter(lastWords, () => capture.ended);
      throw thrown;
    }
  }

  /** The tree stands still: what it has on its disk is what it knows of. */
  async #finish(capture: Capture): Promise<Captured> {
    this.#preserved = await preservable(this.#request.preserve);
    if (this.#preserved.length > 0) {
      const pipe = join(this.#images, preservedArchive);
      await makePipe(pipe, "0600");
      await capture.add(preservedArchive, pipe);
      await Promise.race([packInto(pipe, this.#preserved), capture.ended]);
    }
    return capture.finish();
  }

  /** A service that goes on need not wait until the image would outlast a crash; one that ends has to. */
  async #conclude(
    captured: Captured,
    facts: FinalRequest["tree"],
    keys: Keys,
    source: KeySource,
  ): Promise<void> {
    const manifest = await this.#manifest(captured, facts, source);
    if (this.#request.leaveRunning) await this.#letGo();
    this.#record.enter("publishing");
    // A disk does not say how far it is.
    const waiting = setInterval(() => void this.#lease.renew(), 1000);
    try {
      await this.#store.settle([this.#objects.index, ...this.#objects.shards]);
      await publish(this.#store, writeManifest(manifest, keys), manifest);
    } finally {
      clearInterval(waiting);
    }
    const stored = captured.shards.reduce((sum, size) => sum + size, captured.index.size);
    this.#record.note({ bytes: captured.bytes, stored });
    if (!this.#request.leaveRunning) await this.#end();
  }

  async #letGo(): Promise<void> {
    await decide(this.#directory, "aborted");
    const fate = await this.#tree.resumed();
    this.#record.thawed();
    if (fate !== "treeAlive") throw new Error("the service did not outlive its checkpoint");
  }

  /** The verdict stands before anybody dies: whatever comes then, this node does not start the service again. */
  async #end(): Promise<void> {
    this.#record.enter("ending");
    if ((await decide(this.#directory, "released")) !== "released") throw leaseOver();
    if (!(await bury(this.#deps, this.#tree))) throw goesOn(this.#store.url);
    this.#record.thawed();
  }

  async #manifest(
    { shards, index, bytes, files }: Captured,
    tree: FinalRequest["tree"],
    key: KeySource,
  ): Promise<Manifest> {
    const { ownership, engine, version } = this.#deps;
    const { epoch, service } = ownership.get();
    if (service === null) throw new Error("nobody knows what the service is started with");
    const { model, features } = readProcessor(await readText("/proc/cpuinfo"));
    return {
      format: "fastmig-image",
      version: 1,
      id: this.#request.id,
      createdAt: new Date().toISOString(),
      fastmig: version,
      service,
      epoch,
      tree,
      criu: engine.version,
      kernel: release(),
      processor: { model, features: features.join(" ") },
      preserved: this.#preserved,
      packing: this.#request.packing,
      key,
      bytes,
      files,
      index: { name: this.#objects.index, ...index },
      shards: shards.map((size, at) => ({ name: this.#objects.shards[at] ?? "", size })),
    };
  }
}

/**
 * After `released`: the whole tree dies, and nothing on this node starts the service again at this epoch. False: CRIU was killed
 * before it began to end the tree, which goes on by itself and stays this node's.
 */
export async function bury(deps: ImageDeps, tree: TreeWatch): Promise<boolean> {
  const fate = await tree.death();
  if (fate === "treeAlive") return false;
  if (fate === "treePartlyDead") await tree.killRest();
  const { epoch, service } = deps.ownership.get();
  await deps.ownership.set({ epoch, role: "released", service });
  await deps.service.forget();
  return true;
}

function leaseOver(): Failed {
  const message = "the lease ended before the image was finished";
  return new Failed({ step: "lease", message, log: [], hint: "raise --lease or --deadline" });
}

function goesOn(url: string): Failed {
  const message = `CRIU was killed before it ended the service, which goes on; the image at ${url} is whole`;
  return new Failed({
    step: "dump",
    message,
    log: [],
    hint: "what it does from the freeze on is not in there",
  });
}
