/** A service frozen into an image and brought back, by hand and under faults. */
import { beforeEach, expect, test } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCodes } from "../../src/errors.js";
import { ask } from "../support/ask.js";
import { bring as bringBetween } from "../support/bring.js";
import { killDaemon, statusOf, waitForStatus } from "../support/daemon.js";
import { type Ended, program } from "../support/fastmig.js";
import { watched } from "../support/failing.js";
import { onStage } from "../support/on-stage.js";
import { type Cast, treeService } from "../support/services.js";
import { type NodeName } from "../support/stage.js";
import { type Identity, Witness } from "../support/witness.js";
import { waitFor } from "../../src/wait.js";
import type { WrittenService } from "../../src/plan/schema/service.js";

const stage = onStage();
const images = "/srv/images";
const url = `file:${images}/pattern`;

beforeEach(async () => {
  for (const node of ["a", "b"] as const)
    await stage().on(node, "sh", "-c", `rm -rf ${images}; mkdir ${images}`);
});

/** Its container sees the node's images under the same path. */
const withImages = (port: number) => ({ publish: [`${port}:${port}`], volumes: [`${images}:${images}`] });

interface Scene {
  service: Cast;
  plan: string;
  witness: Witness;
}

async function scene(megabytes = 64, more: Partial<WrittenService> = {}): Promise<Scene> {
  const { cast, plan, witness } = await watched(stage(), {}, { run: withImages(8000), ...more }, megabytes);
  return { service: cast, plan, witness };
}

const bring = (from: NodeName, to: NodeName): Promise<void> => bringBetween(stage(), images, from, to);

async function passphrase(text: string): Promise<string> {
  const path = join(stage().dir, `passphrase-${text}`);
  await writeFile(path, `${text}\n`);
  return path;
}

test("it goes on once it is frozen; it ends, and comes back on the other node, twice, with its memory", async () => {
  const { service, plan, witness } = await scene();
  const kept = await stage().result<{ leftRunning: boolean; frozenMs: number; bytes: number }>(
    ...["checkpoint", plan, "--to", url, "--leave-running", "--cpu-budget", "low"],
  );
  expect(kept).toMatchObject({ leftRunning: true, frozenMs: expect.any(Number) });
  expect(kept.bytes).toBeGreaterThan(64 * 1024 * 1024);
  await witness.servesOn("a");

  const key = await passphrase("secret");
  for (const [from, to, budget] of [
    ["a", "b", "medium"],
    ["b", "a", "high"],
  ] as const) {
    const secret = ["--passphrase-file", key];
    await stage().result("checkpoint", plan, "--to", url, "--cpu-budget", budget, ...secret);
    expect((await statusOf(stage(), from, service)).ownership.role).toBe("released");
    await stage().on(from, "podman", "restart", "--time", "0", service.name);
    await waitForStatus(stage(), from, service, "standby", ({ service: one }) => one.state === "standby");
    await bring(from, to);
    await stage().result("restore", plan, "--from", url, "--on", to, ...secret);
    await witness.servesOn(to);
  }
}, 180_000);

test("images are made again and again; a host is lost, and the newest comes back elsewhere", async () => {
  const { service, plan, witness } = await scene(64, { checkpoint: { to: url, keep: 2, every: "1s" } });
  const identity = (node: NodeName): Promise<Identity> => ask<Identity>(stage(), service, node, "/identity");
  const list = async (): Promise<string[]> =>
    (await stage().on("a", "sh", "-c", `ls ${images}/pattern 2>/dev/null || true`))
      .split("\n")
      .filter((name) => name !== "");
  const running = stage().startFastmig("checkpoint", plan);
  const seen = new Set<string>();
  const third = async (): Promise<boolean | undefined> => {
    for (const name of await list()) seen.add(name);
    return seen.size >= 3 || undefined;
  };
  await waitFor("a third image", third, { timeout: 60_000 });
  running.kill("SIGTERM");
  expect(await running.ended).toMatchObject({ exit: exitCodes.terminated });
  await witness.servesOn("a");
  const made = await list();
  expect(made).toEqual([expect.stringMatching(/^\d{8}T\d{6}\.\d{3}Z$/), expect.stringMatching(/Z$/)]);

  const before = await identity("a");
  await bring("a", "b");
  await stage().on("a", "podman", "rm", "--force", "--time", "0", service.name);
  const back = await stage().result("restore", plan, "--on", "b");
  expect(back).toMatchObject({ node: "b", url: `${url}/${made[1]}` });
  expect(await identity("b")).toEqual({ ...before, counter: expect.any(Number) });
}, 120_000);

test("sixteen workers of another user come back as they were", async () => {
  const tree = treeService(stage().lab.client.address);
  const service: Cast = { ...tree, written: { ...tree.written, run: withImages(tree.port) } };
  await stage().clients.collect();
  const plan = await stage().plan([service]);
  await stage().result("start", plan);
  const witness = await Witness.of(stage(), service, "a");
  await stage().result("checkpoint", plan, "--to", url);
  await stage().result("restore", plan, "--from", url);
  await witness.servesOn("a");
}, 120_000);

test("files that travel with the memory are as they were, whatever they are", async () => {
  const { service, plan, witness } = await scene(8);
  const inside = (node: NodeName, script: string): Promise<string> =>
    stage().on(node, "podman", "exec", service.name, "bash", "-c", script);
  await inside(
    "a",
    `mkdir -p /data/d && cd /data && echo text > plain && ln plain hard && ln -s plain soft && ln -s /etc/passwd far
     truncate -s 20M sparse && echo end >> sparse && chown 1000:7 plain && chmod 4751 plain
     touch -d @1000000000.25 d && python3 -c "import os; os.setxattr('plain', 'user.mark', b'kept')"`,
  );
  const look = `cd /data && stat -c '%n %F %s %U %g %a %Y %h' * && readlink soft far && tail -c 4 sparse && du -k sparse | cut -f1
     python3 -c "import os; print(os.getxattr('plain', 'user.mark'))"`;
  const before = await inside("a", look);
  expect(before).toContain("kept");
  const paths = ["--preserve-path", "/data:/nowhere"];
  await stage().result("checkpoint", plan, "--to", url, ...paths, "--passphrase-file", await passphrase("p"));
  await bring("a", "b");
  await stage().result(
    "restore",
    plan,
    "--from",
    url,
    "--on",
    "b",
    "--passphrase-file",
    await passphrase("p"),
  );
  await witness.servesOn("b");
  expect(await inside("b", look)).toBe(before);
  expect(await inside("b", "ls -di /data/plain /data/hard | awk '{ print $1 }' | uniq | wc -l")).toBe("1");
}, 120_000);

const failed = (code: string, message: RegExp, exit: number = exitCodes.preflight) => ({
  exit,
  json: { error: { code, message: expect.stringMatching(message) } },
});

const answer = ({ exit, stdout }: Ended) => ({ exit, json: JSON.parse(stdout) as object });

test("an image that is not what was written is refused by name, and nothing is touched", async () => {
  const { service, plan, witness } = await scene(8);
  const key = await passphrase("secret");
  await stage().result("checkpoint", plan, "--to", url, "--passphrase-file", key);
  const restore = (from: string, ...more: string[]): Promise<Ended> =>
    stage().fastmig("restore", plan, "--from", from, "--json", ...more);
  const withKey = ["--passphrase-file", key];
  const shell = (command: string): Promise<string> =>
    stage().on("a", "sh", "-c", `cd ${images} && ${command}`);

  const other = ["--passphrase-file", await passphrase("other")];
  expect(answer(await restore(url))).toMatchObject(failed("IMAGE_PASSPHRASE", /is encrypted/));
  expect(answer(await restore(url, ...other))).toMatchObject(
    failed("IMAGE_PASSPHRASE", /another passphrase/),
  );
  expect(answer(await restore(`file:${images}/none`))).toMatchObject(
    failed("IMAGE_MISSING", /there is no image/),
  );
  const damages: readonly [damage: string, code: string, message: RegExp][] = [
    ["printf x | dd of=$(ls d/*-2.shard) bs=1 seek=1000 conv=notrunc", "IMAGE_DAMAGED", /shard 2 is damaged/],
    ["truncate -s -1 d/*-3.shard", "IMAGE_DAMAGED", /3\.shard has \d+ bytes, not the \d+ that were written/],
    ["rm d/*-3.shard", "IMAGE_DAMAGED", /3\.shard is missing/],
    ["printf x | dd of=$(ls d/*.index) bs=1 seek=50 conv=notrunc", "IMAGE_DAMAGED", /the index is damaged/],
    ['sed -i \'s/"epoch": 1/"epoch": 2/\' d/manifest.json', "IMAGE_DAMAGED", /the manifest is not what was/],
    ['sed -i \'s/"version": 1/"version": 9/\' d/manifest.json', "IMAGE_VERSION", /version 9, not of 1/],
  ];
  for (const [damage, code, message] of damages) {
    await shell(`rm -rf d && cp -r pattern d && ${damage}`);
    expect(answer(await restore(`file:${images}/d`, ...withKey))).toMatchObject(failed(code, message));
    expect((await statusOf(stage(), "a", service)).service.state).toBe("standby");
  }
  await stage().result("restore", plan, "--from", url, ...withKey);
  await witness.servesOn("a");
  expect(answer(await restore(url, ...withKey))).toMatchObject(failed("RUNS_ALREADY", /runs on a already/));
  expect(answer(await restore(url, ...withKey, "--on", "b"))).toMatchObject(
    failed("RUNS_ELSEWHERE", /runs on a/),
  );
}, 180_000);

/** Holds whoever takes the images, as soon as something of them is there: the service is frozen then. */
const holdShards = `\
for n in $(seq 1 6000); do
  [ -n "$(find ${images} -name '*.shard' -size +0)" ] && kill -STOP $(pgrep -f '[s]hards capture') && exit
  sleep 0.01
done
exit 1`;

const unfinished = (): Promise<string> =>
  stage().on("a", "sh", "-c", `ls -A ${images}/pattern 2>/dev/null || true`);

test("what takes the images stands still: it is given up, and the service goes on", async () => {
  const { plan, witness } = await scene(400);
  const held = stage().on("a", "sh", "-c", holdShards);
  const ended = await stage().fastmig("checkpoint", plan, "--to", url, "--lease", "3s", "--json");
  await held;
  const said = /nothing went into the image for 3s; pattern goes on/;
  expect(answer(ended)).toMatchObject(failed("FAILED", said, exitCodes.rolledBack));
  await witness.servesOn("a");
  expect(await unfinished()).toBe("");
  await stage().result("checkpoint", plan, "--to", url, "--leave-running");
  await witness.servesOn("a");
}, 120_000);

test("the daemon is killed while the service is frozen: the next one lets it go", async () => {
  const { service, plan, witness } = await scene(400);
  const held = stage().on("a", "sh", "-c", holdShards);
  const running = stage().fastmig("checkpoint", plan, "--to", url);
  await held;
  await waitForStatus(stage(), "a", service, "frozen", ({ image }) => image?.phase === "frozen");
  await killDaemon(stage(), "a", service);
  expect(await running).toMatchObject({
    exit: exitCodes.rolledBack,
    stderr: expect.stringContaining("the daemon died during this checkpoint; pattern goes on"),
  });
  await witness.servesOn("a");
  expect(await unfinished()).toBe("");
  expect(await stage().on("a", "sh", "-c", "pgrep -f '[s]hards capture' || true")).toBe("");
  await stage().result("checkpoint", plan, "--to", url, "--leave-running");
  await witness.servesOn("a");
}, 120_000);

test("SIGINT to the CLI while the service is frozen: it is given up", async () => {
  const { service, plan, witness } = await scene(400);
  const held = stage().on("a", "sh", "-c", holdShards);
  const running = stage().startFastmig("checkpoint", plan, "--to", url);
  await held;
  await waitForStatus(stage(), "a", service, "frozen", ({ image }) => image?.phase === "frozen");
  running.kill("SIGINT");
  expect(await running.ended).toMatchObject({ exit: exitCodes.interrupted });
  await witness.servesOn("a");
  expect(await unfinished()).toBe("");
}, 120_000);

test("no room for the image: the service goes on, and nothing is left of it", async () => {
  await stage().on("a", "mount", "-t", "tmpfs", "-o", "size=4m", "images", images);
  try {
    const { plan, witness } = await scene();
    const ended = await stage().fastmig("checkpoint", plan, "--to", url, "--cpu-budget", "low", "--json");
    expect(answer(ended)).toMatchObject(failed("FAILED", /No space left on device/, exitCodes.rolledBack));
    await witness.servesOn("a");
    expect(await unfinished()).toBe("");
  } finally {
    await stage().clear();
    await stage().on("a", "umount", images);
  }
}, 120_000);

test("an image in the container's own layer would be lost with it, and is refused", async () => {
  const { plan, witness } = await scene(8);
  const ended = await stage().fastmig("checkpoint", plan, "--to", "file:/images", "--json");
  expect(answer(ended)).toMatchObject(failed("IMAGE_URL", /lies in the container's own layer/));
  const wrong = await stage().fastmig("checkpoint", plan, "--to", "images", "--json");
  expect(answer(wrong)).toMatchObject(
    failed("IMAGE_URL", /the path of an image is absolute/, exitCodes.usage),
  );
  await witness.servesOn("a");
}, 60_000);

test("whoever looks for memory that he wrote finds it in an extracted image", async () => {
  const { service, plan } = await scene(8);
  const { sha256 } = await ask<{ sha256: string }>(stage(), service, "a", "/memory");
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  await stage().result("checkpoint", plan, "--to", url);
  const here = join(stage().dir, "images");
  const pull = `mkdir -p ${here} && ssh -F ${stage().lab.sshConfig} a tar -C ${images} -cf - . | tar -C ${here} -xf -`;
  await program("sh", ["-c", pull]);
  const place = join(here, "pattern");
  const inspected = await stage().result<{ processes: object[] }>("image", "inspect", place);
  expect(inspected.processes).toEqual([
    {
      ...{ pid: 1000, parent: 0, name: "python3", threads: expect.any(Number), memory: expect.any(Number) },
      files: expect.arrayContaining([
        { fd: expect.any(Number), kind: "tcp", text: "0.0.0.0:8000 listening" },
      ]),
    },
  ]);
  await stage().result("image", "verify", place);
  const out = join(stage().dir, "out");
  await stage().result("image", "extract", place, "-o", out);
  const pages =
    "import sys; memory = open(sys.argv[1], 'rb').read(); print(memory.count(bytes(range(1, 200))) > 1000)";
  expect(await program("python3", ["-c", pages, join(out, "pages-1.img")])).toMatchObject({ stdout: "True" });
}, 60_000);
