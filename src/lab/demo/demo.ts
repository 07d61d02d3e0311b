import { rm } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../../wait.js";
import { loadImage } from "../image.js";
import { type Say } from "../root.js";
import { type LabState } from "../state.js";
import { up } from "../up.js";
import { clearNodes } from "./clear.js";
import { buildDemoImage } from "./images.js";
import { contradictions, longestGap } from "./ledger.js";
import { redisPort, writePlan } from "./plan.js";
import { fastmig } from "./program.js";
import { askRedis, RedisWriter } from "./redis-clients.js";
import { timelineLines } from "./timeline.js";

export interface DemoOptions {
  /** The lab's name. */
  name: string;
  /** Keys that Redis holds before it moves. */
  keys: number;
  /** Told of every step before it is done. */
  say: Say;
  signal: AbortSignal;
  /** Whether the migration's report goes to standard output; else it is in the result. */
  shown: boolean;
}

export interface DemoResult {
  lab: string;
  plan: string;
  sshConfig: string;
  client: ClientFigures;
  same: Sameness;
  /** What `fastmig migrate --json` said; null where it was shown instead. */
  migration: unknown;
  /** The client's timeline, for a person. */
  timeline: string[];
}

export interface ClientFigures {
  acknowledged: number;
  lost: number;
  contradictions: string[];
  /** Milliseconds without an answer. */
  longestGapMs: number;
}

/** Whether what runs on b is what ran on a. */
export interface Sameness {
  process: boolean;
  data: boolean;
}

/** Raises the lab, starts Redis on node a, moves it to node b under a client's eyes, and looks at what the client saw. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const lab = await raise(options);
  const plan = await writePlan(lab);
  const { say, signal } = options;
  const addresses = lab.nodes.map(({ address }) => `${address}:${redisPort}`);
  const [at = "", to = ""] = addresses;
  const program = { sshConfig: lab.sshConfig, signal, shown: options.shown };

  say(`$ fastmig start ${plan}`);
  await fastmig(["start", plan], { ...program, shown: false });
  say(`loading ${options.keys} keys into Redis on node a`);
  await waitFor("Redis to take its keys", () => askRedis(lab, "load", at, String(options.keys)), {
    timeout: 30_000,
    signal,
  });
  const before = await facts(lab, at, options.keys);

  const ledgerPath = join(lab.dir, "demo-ledger.ndjson");
  await rm(ledgerPath, { force: true });
  await using writer = new RedisWriter(lab, ledgerPath, addresses);
  say("a client writes and reads all the time; it knows both nodes' addresses");
  await writer.writes(1000, signal);
  say(`$ fastmig migrate ${plan}`);
  const migration = await fastmig(["migrate", plan, ...(options.shown ? [] : ["--json"])], program);
  await writer.writes(1000, signal);

  const after = await facts(lab, to, options.keys);
  const names = new Map(lab.nodes.map(({ name }, index) => [addresses[index] ?? "", `node ${name}`]));
  const ledger = await writer.ledger();
  return {
    lab: lab.name,
    plan,
    sshConfig: lab.sshConfig,
    client: await figures(lab, to, writer),
    same: { process: after.process === before.process, data: after.data === before.data },
    migration: options.shown ? null : (JSON.parse(migration) as unknown),
    timeline: timelineLines(ledger, names),
  };
}

async function raise({ name, say, signal }: DemoOptions): Promise<LabState> {
  say(`raising the lab "${name}": nodes a and b, a client, a network between them`);
  const lab = await up({ name, nodes: ["a", "b"], rate: null, say });
  await clearNodes(lab);
  say("building the container image from our Dockerfile, and Debian's Redis on it");
  const image = await buildDemoImage(say);
  signal.throwIfAborted();
  say("loading it on both nodes");
  await Promise.all(lab.nodes.map((node) => loadImage(lab, node.name, image)));
  signal.throwIfAborted();
  return lab;
}

/** What a move must not change: the data, and that it is the same process. */
async function facts(
  lab: LabState,
  address: string,
  keys: number,
): Promise<{ process: string; data: string }> {
  const { process_id: pid, run_id: run } = await askRedis<Record<string, string>>(lab, "info", address);
  const { digest } = await askRedis<{ digest: string }>(lab, "digest", address, String(keys));
  return { process: `${pid} ${run}`, data: digest };
}

async function figures(lab: LabState, address: string, writer: RedisWriter): Promise<ClientFigures> {
  const ledger = await writer.ledger();
  const { lost } = await askRedis<{ lost: number[] }>(lab, "lost", address, writer.ledgerPath);
  return {
    acknowledged: ledger.length,
    lost: lost.length,
    contradictions: contradictions(ledger),
    longestGapMs: Math.round((longestGap(ledger)?.length ?? 0) * 10) / 10,
  };
}
