import { expect, test } from "@jest/globals";
import { contradictions } from "../../src/lab/demo/ledger.js";
import { exitCodes } from "../../src/errors.js";
import { setRate } from "../../src/lab/index.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { waitFor } from "../../src/wait.js";
import { type Writer } from "../support/clients.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { anyClock } from "../support/rounds.js";
import { redisService } from "../support/services.js";
import { type Move, type NodeName } from "../support/stage.js";

const stage = onStage(vmLab);
const redis = redisService();
const keys = 20_000;
/** Bytes per second: of the link, and of writes far below and above it. */
const rates = { link: 20e6, calm: 1e6, wild: 40e6 };

test("a calm writer: the rounds converge on the budget", async () => {
  const { plan, proof } = await scene(rates.calm, { downtime: "4s", onDivergence: "abort" });
  const [report] = (await stage().migrate(plan, anyClock)) as [MigrationReport];
  expect(report.rounds.map(({ state }) => state)).not.toContain("failed");
  expect(report.rounds.at(-1)?.bytes).toBeLessThan((report.rounds[0]?.bytes ?? 0) / 2);
  await proof.holdsOn("b");
}, 240_000);

test("a wild writer: the service is throttled until the rounds converge", async () => {
  const { plan, proof } = await scene(rates.wild, { downtime: "4s", onDivergence: "throttle", rounds: 10 });
  const { exit, stderr } = await stage().fastmig("migrate", plan, anyClock);
  expect({ exit, stderr }).toMatchObject({ exit: exitCodes.done, stderr: expect.stringMatching(/throttl/i) });
  await proof.holdsOn("b");
}, 240_000);

test("a wild writer: the migration is aborted where the plan says so, and the service goes on", async () => {
  const { plan, proof } = await scene(rates.wild, { downtime: "300ms", onDivergence: "abort", rounds: 10 });
  const { exit, stderr } = await stage().fastmig("migrate", plan, anyClock);
  expect({ exit, stderr }).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringMatching(/converge/i),
  });
  await proof.holdsOn("a");
  expect(await stage().on("a", "sh", "-c", quotas)).not.toMatch(/^\d/m);
  await stage().migrate(await stage().plan([redis], { strategy: "pre-copy", rounds: 2 }), anyClock);
  await proof.holdsOn("b");
}, 240_000);

/** The CPU quota of every group: `max` where there is none. */
const quotas = "cat $(find /sys/fs/cgroup -name cpu.max)";

const at = (node: NodeName): string => `${stage().address(node)}:${redis.port}`;

/** Redis with a data set, a client that checks what it wrote, and one that writes so many bytes per second. */
async function scene(rate: number, move: Move): Promise<{ plan: string; proof: Proof }> {
  const plan = await stage().plan([redis], { strategy: "pre-copy", ...move });
  await stage().result("start", plan);
  const loaded = (): Promise<object> => stage().clients.askRedis("load", at("a"), String(keys));
  await waitFor("Redis to take its keys", loaded, { timeout: 60_000 });
  const digest = await digestOn("a");
  const writer = await stage().clients.writeToRedis(stage().addresses(redis));
  await stage().clients.loadRedis(at("a"), rate);
  await setRate(stage().lab, rates.link);
  return { plan, proof: new Proof(writer, digest) };
}

async function digestOn(node: NodeName): Promise<string> {
  const { digest } = await stage().clients.askRedis<{ digest: string }>("digest", at(node), String(keys));
  return digest;
}

class Proof {
  constructor(
    readonly writer: Writer,
    readonly digest: string,
  ) {}

  /** Redis answers on that node alone, with all its data and every acknowledged write. */
  async holdsOn(node: NodeName): Promise<void> {
    const news = await this.writer.goesOn(60_000);
    expect([...new Set(news.map(({ address }) => address))]).toEqual([at(node)]);
    expect(contradictions(await this.writer.ledger())).toEqual([]);
    expect(await digestOn(node)).toBe(this.digest);
    expect(await stage().clients.askRedis("lost", at(node), this.writer.path)).toEqual({ lost: [] });
  }
}
