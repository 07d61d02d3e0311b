import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type ExpectRequest,
  type OpenMigration,
  type Peer,
  type Round,
  type RoundArrived,
} from "../../../src/daemon/api.js";
import { roundLog, type DumpJob } from "../../../src/daemon/engine.js";
import { MigrationRecord } from "../../../src/daemon/handover/record.js";
import type { HandOverDeps } from "../../../src/daemon/handover/half.js";
import { Rounds } from "../../../src/daemon/handover/rounds.js";
import type { ProcessEnd } from "../../../src/daemon/init-client.js";
import { allStats, type ProcessStat } from "../../../src/daemon/procfs.js";
import { nativePageLists } from "../../../src/daemon/page-lists.js";
import { HttpError } from "../../../src/daemon/refusals.js";
import { openReceiver, type Receiver } from "../../../src/daemon/transfer/receiver.js";
import { receiveSegments } from "../../../src/daemon/transfer/segment-route.js";
import { pause } from "../../../src/wait.js";
import { binary } from "../native/init-bench.js";

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const open: OpenMigration = {
  id,
  epoch: 2,
  role: "source",
  service: { name: "counter", command: ["sleep", "600"], env: {}, user: "0", workdir: "/" },
  from: "a",
  to: "b",
  by: "test",
  plan: "none",
  openedAt: "2026-01-01T00:00:00.000Z",
};

/** What CRIU does in a round, as the test wants it: writes images, says what it skipped, ends. */
export interface Dump {
  pages: Buffer;
  skipped: number;
  code?: number;
  /** Milliseconds until it ends. */
  takes?: number;
}

/** `stats-dump` with so many pages written and skipped, as CRIU encodes it. */
function statsDump(written: number, skipped: number): Buffer {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
  const fields = [0, 1000, 20_000, 0, 0, written + skipped, skipped, written];
  const entry = fields.flatMap((value, number) => (number === 0 ? [] : [number * 8, ...varint(value)]));
  const body = Buffer.from([0x0a, ...varint(entry.length), ...entry]);
  const head = Buffer.alloc(12);
  for (const [at, word] of [0x55105940, 0x57093306, body.length].entries()) head.writeUInt32LE(word, at * 4);
  return Buffer.concat([head, body]);
}

/** The source's rounds with a process of ours as the service, an engine that writes what it is told, and a destination's store. */
export class Ends {
  readonly record = new MigrationRecord(open);
  readonly jobs: DumpJob[] = [];
  readonly asked: string[] = [];
  features: string[] = ["mem_dirty_track"];
  /** Seen by CRIU before it does anything. */
  onDump: () => void = () => undefined;
  /** Answers a question of the source with a refusal, always or the next time. */
  refuse: Record<string, HttpError | undefined> = {};
  refuseOnce: Record<string, HttpError | undefined> = {};
  gaveUp = 0;
  rounds: Rounds;

  private constructor(
    readonly path: string,
    readonly receiver: Receiver,
    readonly service: ChildProcess,
    private readonly root: ProcessStat,
    private readonly server: Server,
    public dump: Dump,
  ) {
    this.rounds = new Rounds(this.#deps(), this.record, this.directory);
  }

  static async make(dump: Dump): Promise<Ends> {
    const path = mkdtempSync(join(tmpdir(), "fastmig-rounds-"));
    for (const name of ["images", "state", "destination"]) mkdirSync(join(path, name), { mode: 0o700 });
    const options = { directory: join(path, "destination"), journal: join(path, "segments"), maxTotal: 1e9 };
    const receiver = await openReceiver(options);
    const service = spawn("sleep", ["600"]);
    await once(service, "spawn");
    const server = createServer().listen(join(path, "peer.sock"));
    await once(server, "listening");
    const root = (await allStats()).find(({ pid }) => pid === service.pid);
    if (root === undefined) throw new Error("the service does not run");
    const ends = new Ends(path, receiver, service, root, server, dump);
    server.on("request", (request: IncomingMessage, response) => {
      ends.#answer(request).then(
        (body) => response.end(JSON.stringify(body)),
        (thrown: unknown) => {
          const { status, code } = thrown instanceof HttpError ? thrown : { status: 500, code: "INTERNAL" };
          response.writeHead(status).end(JSON.stringify({ error: { code, message: String(thrown) } }));
        },
      );
    });
    return ends;
  }

  get directory(): string {
    return join(this.path, "state", "migrations", id);
  }

  get images(): string {
    return join(this.path, "images", id);
  }

  get arrived(): string {
    return join(this.path, "destination");
  }

  /** A daemon that comes after this one, with nothing but what is on the disk. */
  async another(): Promise<MigrationRecord> {
    const record = new MigrationRecord(open);
    this.rounds = new Rounds(this.#deps(), record, this.directory);
    await this.rounds.recover();
    return record;
  }

  begin(): Promise<void> {
    const peer: Peer = { transport: "relay", socket: join(this.path, "peer.sock") };
    return this.rounds.begin({ peer, bandwidth: null });
  }

  /** One round to its end. */
  async make(): Promise<Round> {
    await this.begin();
    await this.rounds.atRest;
    await this.rounds.rest();
    return this.record.rounds.at(-1) as Round;
  }

  async close(): Promise<void> {
    this.service.kill("SIGKILL");
    await this.receiver.close();
    this.server.closeAllConnections();
    this.server.close();
    rmSync(this.path, { recursive: true, force: true });
  }

  async #answer(request: IncomingMessage): Promise<unknown> {
    const url = new URL(request.url ?? "", "http://peer");
    if (request.method === "GET") return this.receiver.received();
    if (request.method === "PUT") {
      await receiveSegments(request, this.receiver);
      return {};
    }
    const word = url.pathname.split("/").at(-1) ?? "";
    const body = JSON.parse((await request.toArray()).join("")) as ExpectRequest & RoundArrived;
    this.asked.push(word);
    const refusal = this.refuseOnce[word] ?? this.refuse[word];
    this.refuseOnce[word] = undefined;
    if (refusal !== undefined) throw refusal;
    if (word === "expect") this.receiver.expect(body.round);
    if (word === "round") this.receiver.verifyRound(body.round, body.files);
    if (word === "forget") await this.receiver.forgetRounds();
    return { state: "receiving", failure: null };
  }

  /** Only what rounds use. */
  #deps(): HandOverDeps {
    const { path, root } = this;
    const { pid } = root;
    const deps = {
      paths: { state: join(path, "state"), images: join(path, "images"), runtime: path },
      engine: {
        features: async () => this.features,
        warm: async () => undefined,
        preDump: (job: DumpJob) => this.#preDump(job),
      },
      pageLists: nativePageLists(binary("pages")),
      processes: {
        init: { list: async () => [], pipes: async () => ({ stdout: 0, stderr: 0 }) },
        kill: async () => undefined,
      },
      service: {
        process: root,
        tree: async () => [root],
        strays: async () => [],
        describeTree: async () => [{ pid, rss: 1_000_000 }],
      },
      log: { info: () => undefined, error: () => undefined },
      giveUp: () => (this.gaveUp += 1),
    };
    return deps as unknown as HandOverDeps;
  }

  async #preDump(job: DumpJob) {
    this.onDump();
    this.jobs.push(job);
    const { pages, skipped, code = 0, takes = 0 } = this.dump;
    writeFileSync(join(job.imagesDir, "pages-1.img"), pages);
    writeFileSync(join(job.imagesDir, "inventory.img"), "inventory");
    mkdirSync(dirname(roundLog(job.workDir)), { recursive: true });
    writeFileSync(
      roundLog(job.workDir),
      code === 0 ? "" : "(00.1) Error (criu/x.c:1): No space left on device\n",
    );
    writeFileSync(join(job.workDir, "stats-dump"), statsDump(pages.length / 4096, skipped));
    const ended = pause(takes).then((): ProcessEnd => ({ kind: "exited", code }));
    return { pid: 1, startTicks: 0, ended };
  }
}
