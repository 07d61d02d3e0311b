/** Services as they are in production: frozen into every kind of store, and brought back in a fresh container on the other node. */
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadImage, rebootNode } from "../../src/lab/index.js";
import { waitFor } from "../../src/wait.js";
import { bring } from "../support/bring.js";
import { onStage } from "../support/on-stage.js";
import { type Cast, javaService, postgresService, redisService } from "../support/services.js";
import type { NodeName } from "../support/stage.js";
import { type GoogleServer, startGoogle } from "../support/stores/google-server.js";
import { bucket, startCeph, type StoreServer } from "../support/stores/servers.js";
import { accountOf, faultsIn, jumpsIn, type KeeperAccount } from "../support/workloads/clocks.js";
import { buildLargeImage } from "../support/workloads/image.js";

const stage = onStage();
const images = "/srv/images";
const hour = 3_600_000;
let s3: StoreServer;
let google: GoogleServer;

/** Node a has been up for forty days longer than node b. */
beforeAll(async () => {
  const { lab } = stage();
  await rebootNode(lab, "a", { uptime: 960 * hour });
  const image = await buildLargeImage(() => undefined);
  await Promise.all(lab.nodes.map(({ name }) => loadImage(lab, name, image)));
  s3 = await startCeph(lab.controller.address);
  google = await startGoogle(lab.controller.address, [bucket]);
}, 600_000);

beforeEach(async () => {
  for (const node of ["a", "b"] as const)
    await stage().on(node, "sh", "-c", `rm -rf ${images}; mkdir ${images}`);
});

afterAll(async () => {
  await google.close();
  await s3.stop();
  await rebootNode(stage().lab, "a", { uptime: 0 });
}, 120_000);

interface Frozen {
  frozenMs: number;
}

/** What is known of a service: from before it is frozen, and compared when it is back. */
interface Watch {
  /** Once it does what it is for. */
  ready(): Promise<unknown>;
  /** What has to be the same on the other node; it goes on there. */
  comesBack(from: NodeName, to: NodeName, move: () => Promise<Frozen>): Promise<void>;
}

const stores = ["file", "s3", "gs"] as const;
const packings = [
  ["lz4, encrypted", "medium", true],
  ["zstd", "high", false],
] as const;

/** By every store and packing, to the other node each time. */
async function goesEverywhere(service: Cast, watch: Watch): Promise<void> {
  const { written } = service;
  const volumes = { ...written.run, volumes: [`${images}:${images}`] };
  const plan = await stage().plan([{ ...service, written: { ...written, run: volumes } }]);
  const key = join(stage().dir, "passphrase");
  await writeFile(key, "secret\n");
  stage().env = { ...s3.access, STORAGE_EMULATOR_HOST: google.url };
  await stage().result("start", plan);
  await watch.ready();
  let [from, to]: [NodeName, NodeName] = ["a", "b"];
  for (const [, budget, encrypted] of packings)
    for (const store of stores) {
      const url = `${store}:${store === "file" ? images : `//${bucket}`}/${service.name}-${budget}`;
      const secret = encrypted ? ["--passphrase-file", key] : [];
      await watch.comesBack(from, to, async () => {
        const how = ["--to", url, "--cpu-budget", budget, ...secret];
        const checkpointed = await stage().result<Frozen>("checkpoint", plan, ...how);
        await stage().on(from, "podman", "rm", "--force", "--time", "0", service.name);
        if (store === "file") await bring(stage(), images, from, to);
        await stage().result("restore", plan, "--from", url, "--on", to, ...secret);
        return checkpointed;
      });
      [from, to] = [to, from];
    }
}

const redis = redisService();
const java = javaService(64);
const postgres = postgresService(200_000);

function redisWatch(): Watch {
  const keys = "50000";
  const at = (node: NodeName): string => `${stage().address(node)}:${redis.port}`;
  const ask = <T>(...words: string[]): Promise<T> => stage().clients.askRedis<T>(...words);
  const info = (node: NodeName): Promise<Record<string, string>> => ask("info", at(node));
  return {
    ready: () => waitFor("Redis to take its keys", () => ask("load", at("a"), keys), { timeout: 30_000 }),
    async comesBack(from, to, move) {
      const digest = await ask("digest", at(from), keys);
      const { run_id: run } = await info(from);
      await move();
      expect(await ask("digest", at(to), keys)).toEqual(digest);
      const { run_id: same, lru_clock: clock } = await info(to);
      expect(same).toBe(run);
      // Moved on by a timer of the event loop's, which goes by CLOCK_MONOTONIC.
      const ticked = async (): Promise<boolean | undefined> =>
        (await info(to)).lru_clock !== clock || undefined;
      await waitFor("Redis's own clock", ticked, { timeout: 10_000, interval: 100 });
    },
  };
}

function javaWatch(): Watch {
  const ways = 5;
  let before: KeeperAccount;
  let longestMs = 0;
  const said = (node: NodeName, more: number, since?: KeeperAccount): Promise<KeeperAccount> =>
    accountOf(stage(), java, node, { more, ways, ...(since === undefined ? {} : { before: since }) });
  return {
    ready: async () => (before = await said("a", 3)),
    async comesBack(from, to, move) {
      before = await said(from, 0);
      const asked = performance.now();
      const { frozenMs } = await move();
      longestMs = Math.max(longestMs, frozenMs);
      const after = await said(to, 3, before);
      expect(jumpsIn(before, after, (performance.now() - asked) / 1000)).toEqual([]);
      expect(faultsIn(after, longestMs)).toEqual([]);
      expect(after.memory).toBe(before.memory);
    },
  };
}

interface PostgresAccount {
  /** Of the table that nobody writes to. */
  digest: string;
  /** Rows of the one that the session inside writes to; its numbers and the processes that wrote them are told apart. */
  ticks: number;
  highest: number;
  backends: number;
}

function postgresWatch(): Watch {
  const query = `select json_build_object('digest', (select md5(string_agg(text, '' order by n)) from memory),
    'ticks', count(*), 'highest', max(n), 'backends', count(distinct backend)) from ticks`;
  const ask = async (node: NodeName): Promise<PostgresAccount> => {
    const psql = ["psql", "-h", "/tmp", "-p", String(postgres.port), "-U", "postgres", "-qAtc", query];
    return JSON.parse(await stage().on(node, "podman", "exec", postgres.name, ...psql)) as PostgresAccount;
  };
  /** Its session writes five rows a second, by waits of PostgreSQL's own. */
  const writesOn = (node: NodeName, since: number): Promise<PostgresAccount> => {
    const look = async (): Promise<PostgresAccount | undefined> => {
      const account = await ask(node).catch(() => undefined);
      return account !== undefined && account.ticks >= since + 5 ? account : undefined;
    };
    return waitFor(`rows on ${node}`, look, { timeout: 30_000, interval: 200 });
  };
  return {
    ready: () => writesOn("a", 0),
    async comesBack(from, to, move) {
      const before = await ask(from);
      await move();
      const after = await writesOn(to, before.ticks);
      expect(after.digest).toBe(before.digest);
      expect({ highest: after.highest, backends: after.backends }).toEqual({
        highest: after.ticks,
        backends: 1,
      });
    },
  };
}

test.each([
  ["Redis", redis, redisWatch],
  ["PostgreSQL", postgres, postgresWatch],
  ["Java", java, javaWatch],
] as const)(
  "%s comes back from a directory, from S3 and from Google's store, encrypted and not, with its data and its clocks",
  (_name, service, watch) => goesEverywhere(service, watch()),
  300_000,
);
