/** Brings a service back from an image: nothing runs before every byte was verified and the whole tree is in memory. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { filesImage, type Remap, remapListeners } from "../../criu/listeners.js";
import { latestImage } from "../../image/catalog.js";
import { imageError } from "../../image/errors.js";
import { checkImage, objectsOf, readImage, type StoredImage } from "../../image/image.js";
import type { Keys } from "../../image/keys.js";
import { type Manifest } from "../../image/manifest.js";
import { instructionsOf, readFeatures } from "../../instructions.js";
import { compareVersions } from "../../versions.js";
import type { RestoreRequest } from "../api.js";
import { sumOf } from "../../sum.js";
import { formatSize } from "../../units.js";
import { readText } from "../at-once.js";
import { ownDirectory, readLog, restoreLog } from "../engine.js";
import { criuFailure } from "../handover/criu-failure.js";
import { finalIn } from "../handover/dump-run.js";
import { Failed } from "../handover/half.js";
import { RestoreRun } from "../handover/restore-run.js";
import { hasResumed } from "../handover/statistics.js";
import { freeBytes } from "../images.js";
import { migrationDirectory } from "../paths.js";
import { preservedArchive, unpackOnly } from "../preserve.js";
import { readStat } from "../procfs.js";
import { succeeded } from "../processes.js";
import { decide } from "../verdict.js";
import type { ImageDeps } from "./deps.js";
import { accessWith, makeObjects, removeObjects, storeFor } from "./objects.js";
import { remember, type WorkRecord } from "./record.js";
import { type Served, type Shards, type ShardSettings, startPrinting, startServing } from "./shards.js";

export class Restore {
  readonly #deps: ImageDeps;
  readonly #request: RestoreRequest;
  readonly #record: WorkRecord;
  /** Where the hook waits; where CRIU meets the shards. */
  readonly #directory: string;
  readonly #images: string;
  readonly #run: RestoreRun;
  readonly #held = Promise.withResolvers<void>();

  constructor(deps: ImageDeps, request: RestoreRequest, record: WorkRecord) {
    this.#deps = deps;
    this.#request = request;
    this.#record = record;
    this.#directory = migrationDirectory(deps.paths, request.id);
    this.#images = join(deps.paths.images, request.id);
    const events = {
      held: () => this.#held.resolve(),
      ended: () => void this.#failure().then((why) => this.#held.reject(why)),
    };
    const { criuOptions, leaveStopped } = request;
    this.#run = new RestoreRun(deps, this.#directory, events, { stream: true, criuOptions, leaveStopped });
    this.#held.promise.catch(() => undefined);
  }

  /**
   * Resolves when the service runs here and this node owns it. Where it rejects, something of it may be in memory: `recover`
   * brings it to an end. Throws what `findImage` and `checkImage` throw, IMAGE_UNFIT, Failed.
   */
  async make(): Promise<void> {
    this.#record.enter("checking");
    const { passphrase, access, id, latest, service: name } = this.#request;
    const asked = this.#request.url;
    const url = latest ? await latestImage(asked, accessWith(access), name) : asked;
    this.#record.note({ url });
    const image = await readImage(await storeFor(url, access));
    const keys = await checkImage(image, passphrase === null ? null : Buffer.from(passphrase, "base64"));
    await this.#checkFit(image.manifest);
    const { tree } = image.manifest;
    await this.#deps.engine.warm(tree);
    // The shards' own threads have PIDs too: they come after those of the tree.
    await this.#run.makeWay(tree.highestPid);
    const { service } = image.manifest;
    const epoch = Math.max(this.#request.epoch, image.manifest.epoch + 1);
    const work = { verb: "restore" as const, id, url, epoch, service, rootPid: tree.rootPid };
    await remember(this.#deps.paths, work);
    const meeting = { directory: finalIn(this.#images), uid: tree.uid };
    let serving: Shards | undefined;
    try {
      const [served, settings] = await this.#objects(image, keys);
      for (const path of [this.#directory, this.#images, finalIn(this.#images)])
        await ownDirectory(path, tree);
      serving = startServing(meeting, served, settings);
      // While every byte is looked at.
      this.#run.comeUp(tree);
      await Promise.race([serving.ready, this.#record.aborted]);
      await this.#unpack(image.manifest, served, settings);
      await this.#remap(served, settings);
      await this.#restore(image.manifest);
      await takeOver(this.#deps, work);
    } finally {
      await this.#run.cameUp();
      await serving?.stop();
      await rm(this.#images, { recursive: true, force: true });
      await removeObjects(this.#deps.paths);
    }
  }

  async #checkFit({ criu, service, processor, tree }: Manifest): Promise<void> {
    const { engine } = this.#deps;
    if (service.name !== this.#request.service)
      throw imageError("IMAGE_UNFIT", `it is an image of ${service.name}, not of ${this.#request.service}`);
    const own = process.getuid?.() ?? 0;
    if (own !== 0 && own !== tree.uid)
      throw imageError(
        "IMAGE_UNFIT",
        `its processes are user ${tree.uid}'s, and this container is user ${own}'s`,
        {
          hint: `run the container as user ${tree.uid}, or as root`,
        },
      );
    if (compareVersions(engine.version, criu) < 0)
      throw imageError("IMAGE_UNFIT", `the image was made by CRIU ${criu}, and here is ${engine.version}`, {
        hint: "restore it in a container with the same container image",
      });
    const there = new Set(readFeatures(await readText("/proc/cpuinfo")));
    const used = service.instructions ?? instructionsOf(processor.features.split(" "));
    const missing = used.filter((instruction) => !there.has(instruction));
    if (missing.length > 0)
      throw imageError(
        "IMAGE_UNFIT",
        `this processor lacks what the image's (${processor.model}) has, and ${service.name} may be using: ${missing.join(", ")}`,
        {
          hint: "restore it on the same or a newer processor; `cpuBaseline` is decided when a service is started",
        },
      );
  }

  async #objects({ url, store, manifest }: StoredImage, keys: Keys): Promise<[Served, ShardSettings]> {
    const { paths } = this.#deps;
    const { packing, key, index, shards } = manifest;
    this.#record.enter("fetching");
    const size = sumOf([index, ...shards].map((object) => object.size));
    const free = await freeBytes(paths.state);
    if (store.remote && free < size)
      throw imageError("IMAGE_UNFIT", `${url} takes ${formatSize(size)}, and ${formatSize(free)} are free`);
    const names = objectsOf(manifest);
    const [first = "", ...others] = await store.fetch(names, await makeObjects(paths), this.#record.signal);
    const served = { index: first, shards: others, tag: index.tag };
    return [served, { packing, secret: key.kind === "passphrase", keys }];
  }

  /** Files that travelled with the memory, before it comes back. */
  async #unpack({ preserved }: Manifest, served: Served, settings: ShardSettings): Promise<void> {
    if (preserved.length === 0) return;
    const archive = startPrinting(preservedArchive, served, settings);
    try {
      await Promise.all([unpackOnly(archive.content, preserved), archive.ended]);
    } finally {
      await archive.stop();
    }
  }

  /** What lies beside the meeting place is served instead of the image's. */
  async #remap(served: Served, settings: ShardSettings): Promise<void> {
    const { listenRemap } = this.#request;
    if (listenRemap.length === 0) return;
    const printing = startPrinting(filesImage, served, settings);
    try {
      const remapped = remapListeners(await buffer(printing.content), listenRemap);
      await printing.ended;
      if (remapped === undefined) throw imageError("IMAGE_DAMAGED", `${filesImage} is none of CRIU's`);
      refuseUnknown(remapped.ports, listenRemap);
      await writeFile(join(finalIn(this.#images), `${filesImage}.instead`), remapped.image);
    } finally {
      await printing.stop();
    }
  }

  async #restore({ tree, bytes }: Manifest): Promise<void> {
    this.#record.enter("restoring");
    this.#record.froze();
    await this.#run.start(this.#images, tree);
    await Promise.race([this.#held.promise, this.#record.aborted]);
    this.#record.enter("resuming");
    // On the disk before the tree is let go: a later daemon takes it for this node's.
    if ((await decide(this.#directory, "running")) !== "running") throw new Error("the restore was given up");
    const end = await this.#run.end();
    if (!succeeded(end) && !(await hasResumed(this.#directory))) throw await this.#failure();
    this.#record.thawed();
    this.#record.note({ bytes });
  }

  async #failure(): Promise<Failed> {
    const end = await this.#run.end();
    return new Failed(criuFailure("restore", end, await readLog(restoreLog(this.#directory))));
  }
}

/** Throws IMAGE_UNFIT. */
function refuseUnknown(ports: readonly number[], remaps: readonly Remap[]): void {
  const unknown = remaps.map(({ from }) => from).filter((port) => !ports.includes(port));
  if (unknown.length > 0)
    throw imageError(
      "IMAGE_UNFIT",
      `nothing in the image listens at ${unknown.join(", ")}, but at ${ports.join(", ") || "no port"}`,
    );
}

/** It runs, and is this node's. Where it ended right away, it is adopted all the same: its end is told like any other. */
export async function takeOver(
  { ownership, service }: ImageDeps,
  { epoch, service: spec, rootPid }: { epoch: number; service: Manifest["service"]; rootPid: number },
): Promise<void> {
  await ownership.set({ epoch, role: "owner", service: spec });
  await service.adopt((await readStat(rootPid)) ?? { pid: rootPid, startTicks: 0 });
}
