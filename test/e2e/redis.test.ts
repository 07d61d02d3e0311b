import { expect, test } from "@jest/globals";
import { waitFor } from "../../src/wait.js";
import { contradictions } from "../../src/lab/demo/ledger.js";
import { onStage } from "../support/on-stage.js";
import { redisService } from "../support/services.js";
import { type NodeName } from "../support/stage.js";

const stage = onStage();
const keys = 200_000;
const redis = redisService();

type Info = Record<string, string>;

test("Redis with 200,000 keys moves a→b→a→b under a writer, once in the middle of a BGSAVE", async () => {
  const { clients } = stage();
  const plans = { b: await stage().plan([redis]), a: await stage().plan([redis], { from: "b", to: "a" }) };
  await stage().result("start", plans.b);
  await load();
  const before = await facts("a");
  const writer = await clients.writeToRedis(stage().addresses(redis));

  const hop = async (to: NodeName): Promise<void> => {
    await stage().migrate(plans[to]);
    const news = await writer.goesOn();
    expect([...new Set(news.map(({ address }) => address))]).toEqual([at(to)]);
    const { started, ...same } = await facts(to);
    expect(same).toEqual({ digest: before.digest, pid: before.pid, run: before.run });
    expect(Math.abs(started - before.started)).toBeLessThan(2);
  };
  await hop("b");
  await beginSlowSave("b");
  await hop("a");
  await saveEnds("a");
  await hop("b");

  await writer.stop();
  const ledger = await writer.ledger();
  expect(contradictions(ledger)).toEqual([]);
  expect(await clients.askRedis("lost", at("b"), writer.path)).toEqual({ lost: [] });
}, 180_000);

const at = (node: NodeName): string => `${stage().address(node)}:${redis.port}`;

async function load(): Promise<void> {
  const loaded = (): Promise<object> => stage().clients.askRedis("load", at("a"), String(keys));
  await waitFor("Redis to take its keys", loaded, { timeout: 30_000 });
}

interface Facts {
  digest: string;
  pid: string | undefined;
  run: string | undefined;
  /** Seconds since 1970, give or take one: Redis tells its age in whole seconds. */
  started: number;
}

/** What a move must not change: the data, and that it is the same process. */
async function facts(node: NodeName): Promise<Facts> {
  const info = await stage().clients.askRedis<Info>("info", at(node));
  const { digest } = await stage().clients.askRedis<{ digest: string }>("digest", at(node), String(keys));
  const { process_id: pid, run_id: run, server_time_usec: now, uptime_in_seconds: uptime } = info;
  const started = Number(now) / 1e6 - Number(uptime);
  return { digest, pid, run, started };
}

/** 20 µs and the kernel's slack for each of the keys: a child that outlives the move. */
async function beginSlowSave(node: NodeName): Promise<void> {
  await stage().clients.askRedis("send", at(node), "CONFIG SET rdb-key-save-delay 20");
  await stage().clients.askRedis("send", at(node), "BGSAVE");
}

async function saveEnds(node: NodeName): Promise<void> {
  const saving = await stage().clients.askRedis<Info>("info", at(node));
  expect(saving["rdb_bgsave_in_progress"]).toBe("1");
  const ended = async (): Promise<Info | undefined> => {
    const info = await stage().clients.askRedis<Info>("info", at(node));
    return info["rdb_bgsave_in_progress"] === "0" ? info : undefined;
  };
  const info = await waitFor("the snapshot", ended, { timeout: 60_000, interval: 250 });
  expect(info).toMatchObject({ rdb_last_bgsave_status: "ok", rdb_saves: "1" });
}
