import { expect, test } from "@jest/globals";
import { contradictions } from "../../src/lab/demo/ledger.js";
import { exitCodes } from "../../src/errors.js";
import { setRate } from "../../src/lab/index.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { waitFor } from "../../src/wait.js";
import { type Writer } from "../support/clients.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { redisService } from "../support/services.js";
import { type Move, type NodeName } from "../support/stage.js";

const stage = onStage(vmLab);
const redis = redisService();
const keys = 20_000;
/** Bytes per second: of the link, which is slower than the machines, and of writes far below and above it. */
const rates = { link: 8e6, calm: 1e6, wild: 40e6 };

/** One Redis: to start and fill it takes an emulated machine longer than to move it. */
test("Redis under a writer that is too quick is not moved, or throttled and moved; under a calm one the rounds converge", async () => {
  const proof = await start();
  await setRate(stage().lab, rates.link);

  let stop = await stage().clients.loadRedis(at("a"), rates.wild);
  const aborted = await migrate({ downtime: "300ms", onDivergence: "abort", rounds: 10 });
  expect(aborted).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringMatching(/it writes .*, the line takes .* downtime predicted, the budget is 300ms/),
  });
  await proof.holdsOn("a");

  const throttled = await migrate({ downtime: "4s", onDivergence: "throttle", rounds: 10 });
  expect(throttled).toMatchObject({
    exit: exitCodes.done,
    stderr: expect.stringMatching(/throttled to [\d.]+ %/),
  });
  await stop();
  await proof.holdsOn("b");
  for (const node of ["a", "b"] as const) expect(await quotas(node)).not.toMatch(/^\d/m);

  stop = await stage().clients.loadRedis(at("b"), rates.calm);
  const back = { from: "b", to: "a", downtime: "4s", onDivergence: "abort" } as const;
  const plan = await stage().plan([redis], { strategy: "pre-copy", ...back });
  const [report] = (await stage().migrate(plan)) as [MigrationReport];
  expect(report.rounds.map(({ state }) => state)).not.toContain("failed");
  expect(report.rounds.at(-1)?.bytes).toBeLessThan((report.rounds[0]?.bytes ?? 0) / 2);
  await stop();
  await proof.holdsOn("a");
}, 900_000);

async function migrate(move: Move): ReturnType<ReturnType<typeof stage>["fastmig"]> {
  const plan = await stage().plan([redis], { strategy: "pre-copy", ...move });
  return stage().fastmig("migrate", plan);
}

/** The CPU quota of every group: `max` where there is none. */
function quotas(node: NodeName): Promise<string> {
  return stage().on(node, "sh", "-c", "cat $(find /sys/fs/cgroup -name cpu.max)");
}

const at = (node: NodeName): string => `${stage().address(node)}:${redis.port}`;

/** On node a, with a data set and a client that checks what it wrote. */
async function start(): Promise<Proof> {
  await stage().result("start", await stage().plan([redis]));
  const loaded = (): Promise<object> => stage().clients.askRedis("load", at("a"), String(keys));
  await waitFor("Redis to take its keys", loaded, { timeout: 60_000 });
  const digest = await digestOn("a");
  return new Proof(await stage().clients.writeToRedis(stage().addresses(redis)), digest);
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
