/** The checkpoint or restore of this node that is under way, or was the last one. */
import { rm } from "node:fs/promises";
import { type CheckpointRequest, type ImageWork, type RestoreRequest } from "../api.js";
import { messageOf } from "../../errors.js";
import { pruneImages } from "../../image/catalog.js";
import { below, formatImageUrl, parseImageUrl } from "../../image/url.js";
import { orAfter } from "../../wait.js";
import { migrationDirectory } from "../paths.js";
import { Conflict, NotFound } from "../refusals.js";
import { Checkpoint } from "./checkpoint.js";
import type { ImageDeps } from "./deps.js";
import { forget, recall, remember, WorkRecord } from "./record.js";
import { recover } from "./recover.js";
import { accessWith } from "./objects.js";
import { Restore } from "./restore.js";

/** Milliseconds that a store has to remove older images. */
const patience = 30_000;

export class ImageWorks {
  readonly #deps: ImageDeps;
  readonly #closed: () => void;
  #last: WorkRecord | undefined;

  /** @param closed called when one is over, whatever came of it. */
  constructor(deps: ImageDeps, closed: () => void) {
    this.#deps = deps;
    this.#closed = closed;
  }

  /** What an earlier daemon had begun is brought to an end. */
  async takeUp(): Promise<void> {
    const work = await recall(this.#deps.paths);
    if (work === undefined) return;
    const record = new WorkRecord(work);
    record.enter("recovering");
    this.#last = record;
    const done = await recover(this.#deps, work);
    await forget(this.#deps.paths);
    record.end(done ? undefined : { thrown: new Error(`the daemon died during this ${work.verb}`) });
  }

  get current(): ImageWork | null {
    return this.#last?.view.state === "working" ? this.#last.view : null;
  }

  /** Whether the service stands still for a checkpoint. */
  get frozen(): boolean {
    return this.current?.phase === "frozen";
  }

  get last(): ImageWork | null {
    return this.#last?.view ?? null;
  }

  /** Throws LOCKED where one is under way. */
  refuseBusy(): void {
    const work = this.current;
    if (work !== null)
      throw new Conflict("LOCKED", `a ${work.verb} is under way here since ${work.startedAt}: ${work.url}`);
  }

  /** As soon as it is over, or after `within` milliseconds. */
  async view(id: string, within: number): Promise<ImageWork> {
    const record = this.#last;
    if (record?.view.id !== id) throw new NotFound(`this node knows no checkpoint or restore ${id}`);
    if (within > 0) await orAfter(within, () => record.over);
    return record.view;
  }

  /** Answers how it ended: it may have been too late. */
  async abort(id: string): Promise<ImageWork> {
    const record = this.#last;
    if (record?.view.id === id) {
      record.abort();
      await record.over;
    }
    return this.view(id, 0);
  }

  async checkpoint(asked: CheckpointRequest): Promise<ImageWork> {
    const { id, keep, shards } = asked;
    const url = keep === null ? asked.url : placeOfNow(asked.url);
    return this.#begin("checkpoint", { ...asked, url }, async (record) => {
      await remember(this.#deps.paths, { verb: "checkpoint", id, url, shards });
      await new Checkpoint(this.#deps, { ...asked, url }, record).make();
      if (keep !== null) await this.#prune(asked, keep);
    });
  }

  /** The image that was made is whole, whatever becomes of those before it. */
  async #prune({ url, access }: CheckpointRequest, keepLast: number): Promise<void> {
    const { ownership, log } = this.#deps;
    const service = ownership.get().service?.name ?? "";
    const retention = { service, keepLast, olderThan: 0, dryRun: false, now: new Date() };
    try {
      await orAfter(patience, () => pruneImages(url, accessWith(access), retention));
    } catch (thrown) {
      log.error("older images stay", { url, message: messageOf(thrown) });
    }
  }

  async restore(request: RestoreRequest): Promise<ImageWork> {
    return this.#begin("restore", request, (record) => new Restore(this.#deps, request, record).make());
  }

  /** The same again is answered alike. */
  #begin(
    verb: ImageWork["verb"],
    { id, url, access }: Pick<CheckpointRequest, "id" | "url" | "access">,
    make: (record: WorkRecord) => Promise<void>,
  ): ImageWork {
    if (this.#last?.view.id === id) return this.#last.view;
    this.refuseBusy();
    const record = new WorkRecord({ id, verb, url });
    this.#last = record;
    void this.#follow(record, access, make);
    return record.view;
  }

  async #follow(
    record: WorkRecord,
    access: CheckpointRequest["access"],
    make: (record: WorkRecord) => Promise<void>,
  ): Promise<void> {
    const { log } = this.#deps;
    const { verb, url, id } = record.view;
    try {
      await make(record);
      await forget(this.#deps.paths);
      await rm(migrationDirectory(this.#deps.paths, id), { recursive: true, force: true });
      record.end();
      log.info(verb, { id, url });
    } catch (thrown) {
      log.error(`the ${verb} failed`, { id, url, message: messageOf(thrown) });
      await this.#settle(access);
      record.thawed();
      record.end({ thrown });
    }
    this.#closed();
  }

  /** Brings to an end what stands half way: where even that fails, it is the next daemon's. */
  async #settle(access: CheckpointRequest["access"]): Promise<void> {
    try {
      const work = await recall(this.#deps.paths);
      if (work !== undefined) await recover(this.#deps, work, access);
      await forget(this.#deps.paths);
    } catch (thrown) {
      this.#deps.log.error("it cannot be brought to an end", { message: messageOf(thrown) });
      this.#deps.giveUp();
    }
  }
}

/** A place below another, named by the time: `20261123T081500.123Z`. Throws IMAGE_URL. */
function placeOfNow(url: string): string {
  return formatImageUrl(below(parseImageUrl(url), new Date().toISOString().replace(/[-:]/g, "")));
}
