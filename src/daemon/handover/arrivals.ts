/** What arrives at the destination: the listener of this migration, and the store of its images. */
import type { IncomingMessage } from "node:http";
import { basename, join } from "node:path";
import {
  ListenRequest,
  type ExpectRequest,
  type FinalRequest,
  type LineKey,
  type Received,
  type RoundArrived,
} from "../api.js";
import { sumOf } from "../../sum.js";
import { removeFile } from "../at-once.js";
import { readIfThere, replaceDurably } from "../durable.js";
import type { Log } from "../log.js";
import type { PageLists } from "../page-lists.js";
import { preallocateImages, removeUnused, reserveMemory } from "../preallocate.js";
import { Conflict } from "../refusals.js";
import type { Answers } from "../router.js";
import type { TakeBundle } from "../transfer/line/serve.js";
import { createPeerListener, type PeerListener } from "../transfer/listener.js";
import { openReceiver, type Receiver } from "../transfer/receiver.js";
import { receiveSegments } from "../transfer/segment-route.js";
import { ArrivedRounds } from "./arrived-rounds.js";

function isOfFinal({ file }: { file: string }): boolean {
  return file.startsWith("final/");
}

export interface ArrivalsOptions {
  id: string;
  /** The migration's directory; exists. */
  directory: string;
  /** For the source's daemon. */
  answers: Answers;
  /** Called whenever segments were taken. */
  onTaken: () => Promise<void>;
  pageLists: PageLists;
  log: Log;
}

interface Place {
  images: string;
  receiver: Receiver;
  rounds: ArrivedRounds;
}

export class Arrivals {
  readonly #options: ArrivalsOptions;
  #place: Place | undefined;
  #listener: PeerListener | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Listens with this migration's secret; a second call replaces the first. */
  async listen(request: ListenRequest): Promise<void> {
    await this.#listener?.close();
    const { id, answers } = this.#options;
    const json: Answers["json"] = (word, body) => answers.json(`/peer/${id}/${word}`, body);
    const take: TakeBundle = (fill) => this.#taken((receiver) => receiver.receive(fill, true));
    this.#listener = await createPeerListener({ ...request, id, answers: { ...answers, json }, take });
    await replaceDurably(this.#listenFile(), JSON.stringify(request));
  }

  /** After the daemon's death: the source goes on sending where it was. */
  async reopen(images: string | undefined): Promise<void> {
    if (images !== undefined) await this.#open(images);
    const text = await readIfThere(this.#listenFile());
    if (text !== undefined) await this.listen(ListenRequest.parse(JSON.parse(text)));
  }

  /** Before the freeze, so that taking what comes costs no more than copying it. */
  async expect(images: string, request: ExpectRequest): Promise<void> {
    const { round, pages, bytes, reserve, chain, uid, gid } = request;
    const into = join(images, round === null ? "final" : String(round));
    await preallocateImages(into, pages);
    // The tree's own memory comes on top of its images.
    await reserveMemory(images, reserve, bytes - sumOf(pages));
    await this.#open(images);
    const { receiver, rounds } = this.#expected();
    receiver.expect(round);
    if (round === null) rounds.announce(receiver, chain, { uid, gid });
  }

  /** All of the round is here; throws a refusal that says what is missing. */
  async takeRound(arrived: RoundArrived): Promise<void> {
    const { rounds, receiver } = this.#expected();
    await rounds.take(receiver, arrived);
  }

  /** The chain is poisoned. */
  async forgetRounds(): Promise<void> {
    await this.#place?.rounds.forget(this.#place.receiver);
  }

  async #open(images: string): Promise<void> {
    if (this.#place !== undefined) return;
    const { directory, pageLists, log } = this.#options;
    const rounds = await ArrivedRounds.open({ directory, images, pageLists, log });
    const receiver = await openReceiver({
      directory: images,
      journal: join(directory, "segments.ndjson"),
      maxTotal: Number.MAX_SAFE_INTEGER,
      settled: (file) => rounds.has(file),
    });
    this.#place ??= { images, receiver, rounds };
  }

  async segments(request: IncomingMessage): Promise<void> {
    await this.#taken((receiver) => receiveSegments(request, receiver));
  }

  async #taken<T>(take: (receiver: Receiver) => Promise<T>): Promise<T> {
    const { receiver } = this.#expected();
    const before = receiver.progress().bytes;
    const taken = await take(receiver);
    // A rehearsal brings nothing.
    if (receiver.progress().bytes > before) await this.#options.onTaken();
    return taken;
  }

  issueLine(): LineKey {
    if (this.#listener !== undefined) return this.#listener.issueLine();
    throw new Conflict("NO_LISTENER", "this migration comes through the relay: there are no lines");
  }

  received(): Received {
    return this.#place?.receiver.received() ?? { segments: [] };
  }

  progress(): { bytes: number; files: number } {
    return this.#expected().receiver.progress();
  }

  /** Everything on the list is here, and nothing else; rejects with a refusal that says what is missing. */
  async verify({ files, tree }: FinalRequest): Promise<void> {
    const { images, receiver, rounds } = this.#expected();
    if (!(await rounds.announced())) throw new Conflict("NOT_EXPECTED", "no final dump is expected here");
    receiver.verifyFinal(files, tree);
    const used = new Set(files.filter(isOfFinal).map(({ file }) => basename(file)));
    await removeUnused(join(images, "final"), used);
  }

  #expected(): Place {
    if (this.#place !== undefined) return this.#place;
    throw new Conflict("NOT_EXPECTED", "no images are expected here: ask for expect first");
  }

  /** Resolves when nothing works in the images any more. */
  async close(): Promise<void> {
    await this.#place?.rounds.close();
    await this.#place?.receiver.close();
    await removeFile(this.#listenFile());
    // Not waited for: whoever asked us to close may be waiting for the answer on one of its connections.
    void this.#listener?.close();
  }

  /** Holds this migration's secret: removed when it is over. */
  #listenFile(): string {
    return join(this.#options.directory, "listen.json");
  }
}
