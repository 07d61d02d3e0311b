/** Images in buckets: made by the daemon in the service's container, read by it and by the CLI. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodes } from "../../src/errors.js";
import { waitFor } from "../../src/wait.js";
import { waitForStatus } from "../support/daemon.js";
import { watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";
import { redisService } from "../support/services.js";
import { type GoogleServer, startGoogle } from "../support/stores/google-server.js";
import { bucket, startCeph, type StoreServer } from "../support/stores/servers.js";

const stage = onStage();
let ceph: StoreServer;
let google: GoogleServer;

beforeAll(async () => {
  const host = stage().lab.controller.address;
  ceph = await startCeph(host);
  google = await startGoogle(host, [bucket]);
}, 300_000);

afterEach(() => {
  google.fail = undefined;
  google.objects.clear();
});

afterAll(async () => {
  await google.close();
  await ceph.stop();
});

const onGoogle = (): Record<string, string> => ({ STORAGE_EMULATOR_HOST: google.url });

test.each([
  ["s3", () => ceph.access, "medium"],
  ["gs", onGoogle, "high"],
] as const)(
  "Redis freezes into %s:// and comes back on the other node, encrypted",
  async (scheme, access, budget) => {
    const redis = redisService();
    const plan = await stage().plan([redis]);
    stage().env = access();
    const url = `${scheme}://${bucket}/redis`;
    const key = join(stage().dir, "passphrase");
    await writeFile(key, "secret\n");
    const secret = ["--passphrase-file", key];
    await stage().result("start", plan);
    const at = (node: "a" | "b"): string => `${stage().address(node)}:${redis.port}`;
    const ask = <T>(...words: string[]): Promise<T> => stage().clients.askRedis<T>(...words);
    await waitFor("Redis to take its keys", () => ask("load", at("a"), "50000"), { timeout: 30_000 });
    const before = await ask("digest", at("a"), "50000");
    const { run_id: run } = await ask<Record<string, string>>("info", at("a"));

    await stage().result("checkpoint", plan, "--to", url, "--cpu-budget", budget, ...secret);
    await stage().result("restore", plan, "--from", url, "--on", "b", ...secret);
    expect(await ask("digest", at("b"), "50000")).toEqual(before);
    expect((await ask<Record<string, string>>("info", at("b"))).run_id).toBe(run);

    expect(await stage().result("image", "list", `${scheme}://${bucket}`)).toMatchObject({
      images: [{ url, service: "redis", encrypted: true }],
    });
    expect(await stage().result("image", "inspect", url, ...secret)).toMatchObject({
      processes: [{ name: "redis-server" }],
    });
    expect(await stage().result("image", "verify", url, ...secret)).toMatchObject({ url });
    expect(await stage().result("image", "prune", `${scheme}://${bucket}`, "--keep-last", "0")).toMatchObject(
      {
        removed: [{ url }],
      },
    );
    expect(await stage().result("image", "list", `${scheme}://${bucket}`)).toMatchObject({ images: [] });
  },
  180_000,
);

test("a store that refuses, or is not there, is told before anything is frozen", async () => {
  const { plan, witness } = await watched(stage(), {}, {}, 8);
  const tried: readonly [url: string, env: Record<string, string>, said: RegExp][] = [
    [`s3://${bucket}/x`, { ...ceph.access, AWS_SECRET_ACCESS_KEY: "other" }, /SignatureDoesNotMatch/],
    [`s3://elsewhere/x`, ceph.access, /NoSuchBucket/],
    [`s3://${bucket}/x`, { ...ceph.access, AWS_ENDPOINT_URL: "http://127.0.0.1:1" }, /ECONNREFUSED/],
    [`gs://elsewhere/x`, onGoogle(), /bucket does not exist/],
  ];
  for (const [url, env, said] of tried) {
    stage().env = env;
    const { exit, stderr } = await stage().fastmig("checkpoint", plan, "--to", url);
    expect({ exit, stderr }).toEqual({ exit: exitCodes.preflight, stderr: expect.stringMatching(said) });
    expect(stderr).toContain("pattern goes on");
  }
  await witness.servesOn("a");
  stage().env = ceph.access;
  await stage().result("checkpoint", plan, "--to", `s3://${bucket}/x`, "--cpu-budget", "high");
  await stage().result("restore", plan, "--from", `s3://${bucket}/x`, "--on", "b");
  await witness.servesOn("b");
}, 180_000);

test.each([
  ["refuses", 403 as const, /403/],
  ["says nothing more", "silence" as const, /nothing went into the image for 3s/],
])(
  "a store that %s while the service is frozen: it goes on, and nothing is left",
  async (_, fail, said) => {
    const { cast, plan, witness } = await watched(stage(), {}, {}, 200);
    stage().env = onGoogle();
    const words = ["checkpoint", plan, "--to", `gs://${bucket}/x`, "--cpu-budget", "low", "--lease", "3s"];
    const running = stage().fastmig(...words);
    await waitForStatus(stage(), "a", cast, "frozen", ({ image }) => (image?.stored ?? 0) > 0);
    google.fail = fail;
    const { exit, stderr } = await running;
    google.fail = undefined;
    expect({ exit, stderr }).toEqual({ exit: exitCodes.rolledBack, stderr: expect.stringMatching(said) });
    await witness.servesOn("a");
    expect([...google.objects.keys()]).toEqual([]);
  },
  180_000,
);
