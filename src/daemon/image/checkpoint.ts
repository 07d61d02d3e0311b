/** Freezes the service into an image: CRIU's images go into the shards as they come, the manifest is written last. */
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { newObjects, publish } from "../../image/image.js";
import { makeKeys, type Keys, type KeySource } from "../../image/keys.js";
import { writeManifest } from "../../image/manifest.js";
import type { Store, Upload } from "../../image/store/store.js";
import { parseImageUrl } from "../../image/url.js";
import { makePipe } from "../../pipe.js";
import { orAfter } from "../../wait.js";
import type { CheckpointRequest } from "../api.js";
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
import type { ImageDeps } from "./deps.js";
import { manifestOf, type Taken } from "./facts.js";
import { ProgressLimit } from "./limit.js";
import { makeObjects, removeObjects, storeFor } from "./objects.js";
import { refuseOwnLayer } from "./own-layer.js";
import type { WorkRecord } from "./record.js";
import { type Capture, startCapture } from "./shards.js";

/** Milliseconds in which it is known whether the shards failed before CRIU did. */
const lastWords = 1000;

/** Where an image goes, under which keys, and how long that may take. */
interface Target {
  store: Store;
  upload: Upload;
  keys: Keys;
  source: KeySource;
  limit: ProgressLimit;
}

export class Checkpoint {
  readonly #deps: ImageDeps;
  readonly #request: CheckpointRequest;
  readonly #record: WorkRecord;
  readonly #objects: ReturnType<typeof newObjects>;
  /** Where the hook waits; where CRIU meets the shards. */
  readonly #directory: string;
  readonly #images: string;
  readonly #run: DumpRun;
  readonly #tree: TreeWatch;
  readonly #lease: Lease;
  readonly #held = Promise.withResolvers<void>();

  /** The service runs. */
  constructor(deps: ImageDeps, request: CheckpointRequest, record: WorkRecord) {
    this.#deps = deps;
    this.#request = request;
    this.#record = record;
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
    const { url, access, passphrase, criuOptions } = this.#request;
    if (!this.#deps.policy.ownLayer) await refuseOwnLayer(parseImageUrl(url));
    const made = makeKeys(passphrase === null ? null : Buffer.from(passphrase, "base64"));
    made.catch(() => undefined);
    const store = await storeFor(url, access);
    const owner = await treeOwner(await this.#deps.service.tree());
    await refuseStrays(this.#deps);
    await this.#deps.engine.warm(owner);
    const upload = await this.#begin(store);
    let limit: ProgressLimit | undefined;
    try {
      await this.#run.getReady(this.#images, "streamed", owner, criuOptions);
      const { keys, source } = await made;
      limit = new ProgressLimit(this.#request);
      const target = { store, upload, keys, source, limit };
      await this.#conclude(await this.#freeze(owner, target), target);
    } finally {
      limit?.end();
      await upload.abandon();
      await rm(this.#images, { recursive: true, force: true });
      await removeObjects(this.#deps.paths);
    }
  }

  /** Objects that wait for their content. */
  async #begin(store: Store): Promise<Upload> {
    const { index, shards } = this.#objects;
    const created = store.create([index, ...shards], await makeObjects(this.#deps.paths));
    created.then(
      (upload) => this.#record.aborted.catch(() => upload.abandon()),
      () => undefined,
    );
    return Promise.race([created, this.#record.aborted]);
  }

  async #freeze(owner: TreeOwner, { store, upload, keys, limit }: Target): Promise<Taken> {
    const { packing, passphrase } = this.#request;
    const [index = "", ...shards] = upload.paths;
    const meeting = { directory: finalIn(this.#images), uid: owner.uid };
    // A thread that writes into a pipe waits for the store: then it is the shards that are written side by side.
    const threads = store.remote ? Math.max(shards.length, availableParallelism()) : availableParallelism();
    const settings = { packing, secret: passphrase !== null, keys, threads };
    const capture = startCapture(meeting, { index, shards }, settings, (progress) => {
      this.#record.note(progress);
      limit.progress();
      void this.#lease.renew();
    });
    try {
      return await this.#take(capture, [limit.over, this.#record.aborted, upload.failed]);
    } catch (thrown) {
      // Where the store takes no more, everybody before it fails too: then it is the store that says why.
      if (store.remote) await orAfter(lastWords, () => upload.failed);
      throw thrown;
    } finally {
      limit.given();
      await capture.stop();
    }
  }

  /** @param ends each rejects where it has to be given up. */
  async #take(capture: Capture, ends: readonly Promise<never>[]): Promise<Taken> {
    await Promise.race([capture.ready, ...ends]);
    await this.#lease.renew();
    this.#record.enter("frozen");
    this.#record.froze();
    await this.#run.start(this.#images, () => true);
    await Promise.race([this.#heldWith(capture), ...ends]);
    const all = Promise.all([this.#finish(capture), noteTree(this.#deps, this.#directory)]);
    const [finished, tree] = await Promise.race([all, ...ends]);
    // Where the hook let the tree go meanwhile, the files beside the memory may be of later than that.
    if ((await readVerdict(this.#directory)) !== null) throw leaseOver();
    return { ...finished, tree };
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
  async #finish(capture: Capture): Promise<Omit<Taken, "tree">> {
    const preserved = await preservable(this.#request.preserve);
    if (preserved.length > 0) {
      const pipe = join(this.#images, preservedArchive);
      await makePipe(pipe, "0600");
      await capture.add(preservedArchive, pipe);
      await Promise.race([packInto(pipe, preserved), capture.ended]);
    }
    return { captured: await capture.finish(), preserved };
  }

  /** A service that goes on need not wait until the image would outlast a crash; one that ends has to. */
  async #conclude(taken: Taken, { store, upload, keys, source, limit }: Target): Promise<void> {
    const { captured } = taken;
    const manifest = await manifestOf(this.#deps, this.#request, this.#objects, taken, source);
    if (this.#request.leaveRunning) await this.#letGo();
    this.#record.enter("publishing");
    // A store does not say how far it is.
    const waiting = setInterval(() => void this.#lease.renew(), 1000);
    try {
      await Promise.race([upload.settle(), this.#record.aborted, limit.over]);
      await publish(store, writeManifest(manifest, keys), manifest);
    } finally {
      clearInterval(waiting);
    }
    const stored = captured.shards.reduce((sum, size) => sum + size, captured.index.size);
    this.#record.note({ bytes: captured.bytes, stored });
    if (!this.#request.leaveRunning) await this.#end(store.url);
  }

  async #letGo(): Promise<void> {
    await decide(this.#directory, "aborted");
    const fate = await this.#tree.resumed();
    this.#record.thawed();
    if (fate !== "treeAlive") throw new Error("the service did not outlive its checkpoint");
  }

  /** The verdict stands before anybody dies: whatever comes then, this node does not start the service again. */
  async #end(url: string): Promise<void> {
    this.#record.enter("ending");
    if ((await decide(this.#directory, "released")) !== "released") throw leaseOver();
    if (!(await bury(this.#deps, this.#tree))) throw goesOn(url);
    this.#record.thawed();
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
