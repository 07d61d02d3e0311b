import { createServer, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MigrationView } from "../../../src/daemon/api.js";
import { newContext, type MigrationContext } from "../../../src/migration/context.js";
import { Nodes } from "../../../src/migration/nodes.js";
import { parsePlan } from "../../../src/plan/load.js";
import type { Plan } from "../../../src/plan/plan.js";
import type { Argv } from "../../../src/argv.js";
import { RecordingNode, type Answer } from "../../../src/remote/recording.js";
import { open } from "./facts.js";

/** One end of a migration: what its node and its daemon say. */
export interface End {
  /** Of the service's container; undefined: there is none. */
  running?: boolean;
  /** The state directory's files. */
  files?: Record<string, string>;
  /** What the daemon says of the migration; undefined: it does not know it; null: there is no daemon. */
  view?: MigrationView | null;
  /** What it says after it was asked to do something. */
  after?: MigrationView;
  /** Instead of both: what it answers to each question; undefined as verb: what it says of the migration; `within`: at rest. */
  reply?: (verb: string | undefined, body: unknown, within: boolean) => MigrationView;
  answer?: Answer;
}

export function planOf(written = ""): Plan {
  const lines = [
    "version: 1",
    "nodes: { a: { ssh: a }, b: { ssh: b } }",
    "services: { counter: { image: i, command: [c] } }",
    `migrations: [{ service: counter, from: a, to: b${written === "" ? "" : `, ${written}`} }]`,
  ];
  return parsePlan(lines.join("\n"), "plan.yaml");
}

/** A node whose daemon, if it has one, answers on a real socket. */
export class EndNode extends RecordingNode {
  /** The POSTs that its daemon got: `abort {"sourceAborted":true}`. */
  readonly asked: string[] = [];
  #server: Server | undefined;
  #directory = "";

  constructor(
    name: string,
    readonly end: End,
  ) {
    super(name, (argv) => end.answer?.(argv) ?? answerOf(end, argv));
  }

  override async connect(socketPath: string): Promise<Duplex> {
    if (this.end.view === null) return super.connect(socketPath);
    await this.#serve();
    return connect(join(this.#directory, "socket"));
  }

  override async close(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#directory !== "") await rm(this.#directory, { recursive: true });
  }

  async #serve(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#server = createServer((request, response) => {
      const [, , , verb] = (request.url ?? "").split("/");
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        if (verb !== undefined) this.asked.push(`${verb} ${body}`);
        const view =
          this.end.reply?.(
            verb,
            body === "" ? null : JSON.parse(body),
            request.url?.includes("?within=") ?? false,
          ) ?? (verb === undefined ? this.end.view : (this.end.after ?? this.end.view));
        response.writeHead(view ? 200 : 404);
        response.end(JSON.stringify(view ?? { error: { code: "NOT_FOUND", message: "unknown" } }));
      });
    });
    this.#directory = await mkdtemp(join(tmpdir(), "fastmig-end-"));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(join(this.#directory, "socket"), resolve);
    await promise;
  }
}

function answerOf({ running, files = {} }: End, argv: Argv): ReturnType<Answer> {
  const [, verb, word] = argv;
  if (verb === "container" && word === "inspect")
    return running === undefined
      ? { kind: "exited", code: 125, stderr: "Error: no such container" }
      : { stdout: inspected(running) };
  const name = argv.at(-1)?.replace(/^.*\/fastmig\/counter\//, "") ?? "";
  return { stdout: files[name] ?? "" };
}

function inspected(running: boolean): string {
  const labels = { "io.fastmig.service": "counter" };
  return JSON.stringify([
    {
      ...{ Id: "c0ffee", Name: "counter", Image: "1", State: { Running: running } },
      ...{ Config: { Labels: labels }, HostConfig: {} },
    },
  ]);
}

export interface Ends {
  context: MigrationContext;
  a: EndNode;
  b: EndNode;
  close(): Promise<void>;
}

/** A migration of `counter` from a to b, as the steps see it; `written`: more keys of it. */
export function ends(source: End, destination: End, written = ""): Ends {
  const plan = planOf(written);
  const [a, b] = [new EndNode("a", source), new EndNode("b", destination)];
  const nodes = new Nodes(plan, {}, ({ name }) => Promise.resolve(name === "a" ? a : b));
  const options = {
    allowClockJump: false,
    acceptUnhealthy: false,
    sshConfig: null,
    journals: "/nonexistent",
    version: "0",
  };
  const [migration] = plan.migrations;
  if (migration === undefined) throw new Error("the plan has no migration");
  const context = newContext(nodes, plan, migration, options, open.id);
  context.epoch = open.epoch;
  const close = async (): Promise<void> => void (await Promise.all([a.close(), b.close()]));
  return { context, a, b, close };
}

/** The removals among a node's commands. */
export function removed(node: RecordingNode): string[] {
  return node.commands
    .filter((argv) => argv.some((word) => word.startsWith("rm -rf")) || argv[1] === "rm")
    .map((argv) => (argv[1] === "rm" ? argv : argv.slice(4)).join(" "));
}
