/** FastMig's daemon: its script as it stands, its requests, its start modes, and who may ask. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { waitFor } from "../../src/wait.js";
import { buildFastFreezeImage } from "../support/fastfreeze-image.js";
import { type Ended, program, root } from "../support/fastmig.js";
import { onStage } from "../support/on-stage.js";
import type { NodeName } from "../support/stage.js";
import { bucket, startCeph, type StoreServer } from "../support/stores/servers.js";

const stage = onStage();
let ceph: StoreServer;

beforeAll(async () => {
  await buildFastFreezeImage(stage().lab);
  ceph = await startCeph(stage().lab.controller.address);
}, 600_000);
afterAll(() => ceph.stop());

async function clear(): Promise<void> {
  for (const node of ["a", "b"] as const) await stage().on(node, "sh", "-c", "rm -rf /tmp/ff*");
}
beforeEach(clear);
afterEach(clear);

const options =
  "--init --cap-add=cap_sys_ptrace,cap_checkpoint_restore,cap_setpcap --security-opt seccomp=unconfined -p 7878:7878";

/** Starts a container `ff`, which stays when it has ended. */
async function start(node: NodeName, words = "", more = "-e FASTMIG_OPEN=1"): Promise<void> {
  await stage().on(node, "podman", "rm", "--force", "--ignore", "--time", "0", "ff");
  const line = `podman run -d ${options} -v /tmp:/tmp --name ff ${more} fastfreeze:latest ff_daemon ${words}`;
  await stage().on(node, "sh", "-c", line);
}

interface Answer {
  status: number;
  text: string;
  json: { message?: string; error?: { code: string; message: string } } & Record<string, unknown>;
}

/** A body that is no string is sent as JSON. */
async function ask(
  node: NodeName,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { statusCode, body: answer } = await request(`http://${stage().address(node)}:7878${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json", ...headers },
    body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    reset: true,
  });
  const text = await answer.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as Answer["json"]) : {};
  return { status: statusCode, text, json };
}

const ready = (node: NodeName): Promise<Answer> =>
  waitFor("the daemon", () => ask(node, "/healthz"), { timeout: 20_000 });

const logs = (node: NodeName): Promise<string> => stage().on(node, "sh", "-c", "podman logs ff 2>&1");

async function logged(node: NodeName, text: string): Promise<void> {
  const look = async (): Promise<true> => {
    const all = await logs(node);
    if (all.includes(text)) return true;
    throw new Error(all);
  };
  await waitFor(`"${text}"`, look, { timeout: 20_000 });
}

/** The exit code of the container, once it has ended. */
async function ended(node: NodeName): Promise<number> {
  return Number(await stage().on(node, "timeout", "30", "podman", "wait", "ff"));
}

const counting = `bash -c 'for i in $(seq 1000); do echo "n $i $WORD"; sleep 0.1; done'`;
const numbers = (log: string): number[] =>
  [...log.matchAll(/^n (\d+)/gm)].map(([, number]) => Number(number));

/** Everything that shell and curl have to say. */
async function script(text: string): Promise<Ended> {
  const file = join(stage().dir, "migrate.sh");
  await writeFile(file, text, { mode: 0o755 });
  return program("bash", [file], { cwd: stage().dir });
}

test("FastMig's script moves the service", async () => {
  const document = await readFile(join(root, "docs/ff-daemon.md"), "utf8");
  const [, written = ""] = /^```sh\n(#!\/bin\/bash\n.*?)^```/ms.exec(document) ?? [];
  const access = Object.entries(ceph.access).map(([name, value]) => `${name}=${value}`);
  const image_url = `s3://${bucket}/fastmig`;
  const run = { app_args: counting, image_url, envs: [...access, "WORD=a=b"] };
  await writeFile(join(stage().dir, "run.json"), JSON.stringify(run));
  await writeFile(join(stage().dir, "chk.json"), JSON.stringify({ envs: access }));

  await start("a");
  await ready("a");
  expect(await ask("a", "/run", run)).toMatchObject({
    status: 200,
    json: { message: "App start successfully" },
  });
  await logged("a", "n 5 a=b");
  const here = written
    .replaceAll("ssh user@nodeB", `ssh -F ${stage().lab.sshConfig} b`)
    .replace("sudo ", "")
    .replaceAll("curl ", "curl --silent --retry 5 --retry-connrefused ")
    .replaceAll("nodeA", stage().address("a"))
    .replaceAll("nodeB", stage().address("b"));
  const { exit, stdout } = await script(here);
  expect({ exit, stdout }).toMatchObject({ exit: 0 });
  expect(stdout.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  expect(stdout).toContain('{"message":"App checkpointed"}');
  expect(stdout).toContain('{"message":"App start successfully"}');

  const before = numbers(await logs("a"));
  await logged("b", `n ${before.length + 3} a=b`);
  const all = [...before, ...numbers(await logs("b"))];
  expect(all).toEqual(all.map((_, at) => at + 1));
  expect(await ask("a", "/status")).toMatchObject({ json: { service: { state: "standby" } } });
}, 180_000);

const url = "file:/tmp/ff-image";

describe("requests", () => {
  test("are answered, refused, and never overlap", async () => {
    await start("a");
    await ready("a");
    expect(await ask("a", "/run", "{ no JSON")).toMatchObject({
      status: 400,
      json: { error: { code: "BAD_REQUEST" } },
    });
    expect(await ask("a", "/run", { app_args: 5 })).toMatchObject({ status: 400 });
    expect(await ask("a", "/run", { app_args: "bash -c 'x" })).toMatchObject({ status: 400 });
    expect(await ask("a", "/run", { app_args: "true", envs: ["WORD"] })).toMatchObject({ status: 400 });
    expect(await ask("a", "/checkpoint", {})).toMatchObject({
      status: 409,
      json: { error: { code: "NOT_RUNNING" } },
    });
    expect(await ask("a", "/nowhere", {})).toMatchObject({ status: 404 });
    const never = { app_args: counting, image_url: url, cold_start: "never" };
    const refused = await ask("a", "/run", never);
    expect(refused).toMatchObject({ status: 500 });
    expect(refused.json.error?.message).toMatch(
      /^App Exited with exit_code 171: There is no image to restore at/,
    );
    const nothing = await ask("a", "/run", { app_args: "/nowhere/app", image_url: url });
    expect(nothing.json.error?.message).toMatch(/^App Exited with exit_code 170: .*cannot execute/);

    const both = await Promise.all(
      [1, 2].map(() => ask("a", "/run", { app_args: counting, image_url: url })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await ask("a", "/run", { app_args: counting, image_url: url })).toMatchObject({
      ...{ status: 409, json: { error: { code: "RUNS" } } },
    });
    await logged("a", "n 3");
    expect(await ask("a", "/checkpoint", { leave_running: true, cpu_budget: "high" })).toMatchObject({
      status: 200,
    });
    expect(await ask("a", "/status")).toMatchObject({
      json: { service: { state: "running" }, image: { verb: "checkpoint", state: "done" } },
    });
    const { text } = await ask("a", "/metrics");
    for (const line of [
      'fastmig_service_state{state="running"} 1',
      'fastmig_checkpoints_total{outcome="done"} 1',
      'fastmig_restores_total{outcome="failed"} 0',
      "# TYPE fastmig_service_resident_bytes gauge",
    ])
      expect(text.split("\n")).toContain(line);
    expect(await ask("a", "/openapi.json")).toMatchObject({ json: { openapi: "3.1.0" } });
    expect(await ask("a", "/stop", { timeout: 5000 })).toMatchObject({
      json: { service: { state: "ended" } },
    });

    await stage().on("a", "sh", "-c", "truncate -s 100 /tmp/ff-image/*-1.shard");
    const broken = await ask("a", "/run", { app_args: counting, image_url: url });
    expect(broken).toMatchObject({ status: 500, json: { error: { code: "EXIT_171" } } });
    expect(
      await ask("a", "/run", { app_args: counting, image_url: url, cold_start: "always" }),
    ).toMatchObject({
      status: 200,
    });
    await logged("a", "bytes, not the ");
    // An end is told once, whatever fails after it.
    expect((await logs("a")).match(/caught fatal signal SIGTERM/g)).toHaveLength(1);
  }, 90_000);

  test("are heard on loopback only, unless the operator says otherwise; a token is asked for", async () => {
    await start("a", "", "");
    await logged("a", "Listening on loopback only");
    await logged("a", "Listening on http://127.0.0.1:7878");
    expect(await logs("a")).toContain("FASTMIG_OPEN=1");
    await stage().on("a", "sh", "-c", "echo a-secret-of-some-length > /tmp/ff-token");
    await start("a", "-p 7878", "-e FASTMIG_TOKEN_FILE=/tmp/ff-token");
    await ready("a");
    expect(await ask("a", "/status")).toMatchObject({ status: 401 });
    expect(await ask("a", "/run", {}, { authorization: "Bearer another" })).toMatchObject({ status: 401 });
    const right = { authorization: "Bearer a-secret-of-some-length" };
    expect(await ask("a", "/status", undefined, right)).toMatchObject({ status: 200 });
    await stage().on("a", "sh", "-c", "echo short > /tmp/ff-token");
    await start("a", "", "-e FASTMIG_TOKEN_FILE=/tmp/ff-token");
    expect(await ended("a")).toBe(1);
    expect(await logs("a")).toContain("has less than 16 characters");
    await start("a", "-p here");
    expect(await ended("a")).toBe(1);
  });
});

describe("start modes", () => {
  const entry = { app_args: counting, image_url: url };

  async function prepare(mode: string | null, what: object = entry): Promise<void> {
    await writeFile(join(stage().dir, "entry"), JSON.stringify(what));
    await stage().on(
      "a",
      "sh",
      "-c",
      `cat > /tmp/ff-entry <<'END'\n${JSON.stringify(what)}\nEND\nmkdir -p /tmp/ff-comms`,
    );
    if (mode !== null) await stage().on("a", "sh", "-c", `printf ${mode} > /tmp/ff-decider`);
  }
  const words = "-k -e /tmp/ff-entry -d /tmp/ff-decider";
  const more = "-e FASTMIG_OPEN=1 -v /tmp/ff-comms:/opt/controller/comms";
  const file = (name: string): Promise<string> => stage().on("a", "cat", `/tmp/ff-${name}`);

  test("0 from scratch, 1 from the image, 2 waiting; the end decides what comes next", async () => {
    await prepare("0");
    await start("a", words, more);
    await logged("a", "n 5");
    expect(await file("comms/status")).toBe("1");
    expect(await ask("a", "/checkpoint", {})).toMatchObject({ status: 200 });
    const before = numbers(await logs("a")).length;
    expect(await ended("a")).toBe(137);
    expect([await file("decider"), await file("comms/status")]).toEqual(["2", "2"]);

    await start("a", words, more);
    await ready("a");
    expect(await ask("a", "/status")).toMatchObject({ json: { service: { state: "standby" } } });
    expect(await file("comms/status")).toBe("0");

    await prepare("1");
    await start("a", words, more);
    await logged("a", `n ${before + 1}`);
    expect(numbers(await logs("a"))[0]).toBe(before + 1);

    await prepare("0");
    await start("a", words, more);
    await logged("a", "n 1 ");
    await stage().on("a", "podman", "stop", "ff");
  }, 90_000);

  test.each([
    ["exit 0", 0, "1"],
    ["exit 3", 3, "0"],
    ["kill -9 $$", 137, "2"],
  ])("%s: the container ends with %i, and %s is next", async (last, status, next) => {
    await prepare("0", { app_args: `sh -c 'sleep 0.5; ${last}'`, image_url: url });
    await start("a", words, more);
    expect(await ended("a")).toBe(status);
    expect(await file("decider")).toBe(next);
  });

  test("a program of the user's decides; without -k the daemon stays", async () => {
    const envs = ["FF_METRICS_RECORDER=/tmp/ff-decide"];
    await prepare("0", { app_args: "sh -c 'sleep 0.5; exit 3'", image_url: url, envs });
    const decider = `#!/bin/sh
case $1 in *'"action":"run","duration"'*) printf 2 > /tmp/ff-decider ;; esac`;
    const line = `cat > /tmp/ff-decide <<'END'\n${decider}\nEND\nchmod +x /tmp/ff-decide`;
    await stage().on("a", "sh", "-c", line);
    await start("a", "-e /tmp/ff-entry -d /tmp/ff-decider", more);
    const decided = async (): Promise<true | undefined> =>
      (await file("decider")) === "2" ? true : undefined;
    await waitFor("the decision", decided, { timeout: 20_000 });
    expect(await ask("a", "/status")).toMatchObject({
      json: { service: { state: "ended", ended: { code: 3 } } },
    });
    expect(await ask("a", "/run", entry)).toMatchObject({ status: 200 });
  });

  test("an entry that is of no use is told, and the daemon waits", async () => {
    await prepare("0");
    await stage().on("a", "sh", "-c", "echo nonsense > /tmp/ff-entry");
    await start("a", words, more);
    await ready("a");
    expect(await logs("a")).toContain("/tmp/ff-entry is of no use, waiting to be asked");
  });
});
