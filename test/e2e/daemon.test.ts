import { expect, test } from "@jest/globals";
import { type CanaryResult, type ServiceSpec, type Status } from "../../src/daemon/api.js";
import { cut, setRate } from "../../src/lab/index.js";
import { Hands } from "../support/container.js";
import { waitForStatus } from "../support/daemon.js";
import { onStage } from "../support/on-stage.js";

const stage = onStage();

const spec = (megabytes = 1): ServiceSpec => ({
  name: "lines",
  command: ["python3", "/srv/lines.py", String(megabytes)],
  env: {},
  user: "1000",
  workdir: "/",
});

const rising = (numbers: readonly number[]): void =>
  expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at));

test("a container comes up in standby; its daemon runs the service as its user, once", async () => {
  const hands = new Hands(stage(), spec());
  expect(await hands.create("a")).toMatchObject({
    service: { state: "standby" },
    ownership: { role: "none" },
  });
  const { service, tree } = await hands.run("a");
  expect(service).toMatchObject({ state: "running" });
  expect(tree[0]).toMatchObject({ uid: 1000 });
  expect(tree[0]?.pid).toBeGreaterThanOrEqual(1000);
  const again = await hands.run("a");
  expect(again.service).toEqual(service);
  rising(await hands.linesGoOn("a"));
}, 60_000);

test("a stop is graceful, and the container ends as its service did", async () => {
  const hands = new Hands(stage(), spec());
  await hands.create("a");
  await hands.run("a");
  await hands.linesGoOn("a");
  await stage().on("a", "podman", "stop", "--time", "10", "lines");
  expect(await stage().on("a", "podman", "logs", "lines")).toMatch(/bye$/m);
  expect(
    (await stage().on("a", "podman", "inspect", "--format", "{{.State.ExitCode}}", "lines")).trim(),
  ).toBe("3");
}, 60_000);

test("the canary proves that a service's user can be dumped and restored, or says what is missing", async () => {
  const small = { memory: 0, scattered: false };
  const hands = new Hands(stage(), spec());
  await hands.create("a");
  expect(await hands.ask<CanaryResult>("a", "/canary", { user: "1000", ...small })).toMatchObject({
    ok: true,
    failure: null,
  });
  await hands.create("b", ["CHECKPOINT_RESTORE"]);
  const crippled = await hands.ask<CanaryResult>("b", "/canary", { user: "1000", ...small });
  expect(crippled.ok).toBe(false);
  expect(crippled.failure).not.toBeNull();
}, 60_000);

test("the daemon is killed while the service runs: the service and its output go on", async () => {
  const hands = new Hands(stage(), spec());
  await hands.create("a");
  const { service } = await hands.run("a");
  const reborn = await hands.killDaemon("a");
  expect(reborn.service).toEqual(service);
  rising(await hands.linesGoOn("a"));
}, 60_000);

test("the hand-over, there and back: one process, one output", async () => {
  const hands = new Hands(stage(), spec());
  await hands.create("a");
  const { service } = await hands.run("a");
  const pid = service.state === "running" ? service.pid : 0;
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const id = await hands.handOver(from, to);
    await hands.reaches(to, id, "running");
    const [first = 0] = await hands.linesGoOn(to);
    expect(first).toBeGreaterThan(1);
    expect(await hands.reaches(from, id, "released")).toMatchObject({ proof: { kind: "dead", pids: [pid] } });
    await hands.ask(to, `/migrations/${id}/confirm`, {});
    await hands.ask(from, `/migrations/${id}/confirm`, {});
    expect((await hands.ask<Status>(to, "/status")).service).toMatchObject({ state: "running", pid });
  }
}, 90_000);

test("the source's daemon is killed while the service is held: its successor finishes the hand-over", async () => {
  const hands = new Hands(stage(), spec(100));
  await hands.create("a");
  await hands.run("a");
  await setRate(stage().lab, 20e6);
  const id = await hands.handOver("a", "b");
  await waitForStatus(stage(), "a", spec(), "held", ({ service: { state } }) => state === "held");
  await hands.killDaemon("a");
  await hands.reaches("b", id, "running");
  await hands.reaches("a", id, "released");
  const before = (await hands.lines("a")).length;
  const [first = 0] = await hands.linesGoOn("b");
  expect(first).toBe(before + 1);
}, 90_000);

test("the destination's daemon is killed in the transfer: its successor takes the rest", async () => {
  const hands = new Hands(stage(), spec(100));
  await hands.create("a");
  await hands.run("a");
  await setRate(stage().lab, 20e6);
  const id = await hands.handOver("a", "b");
  await waitForStatus(stage(), "b", spec(), "receiving", ({ migration }) => migration?.state === "receiving");
  await hands.killDaemon("b");
  await hands.reaches("b", id, "running");
  const before = (await hands.lines("a")).length;
  const [first = 0] = await hands.linesGoOn("b");
  expect(first).toBe(before + 1);
}, 90_000);

test("the destination holds the tree, the link is gone and its daemon killed: nothing runs twice", async () => {
  const hands = new Hands(stage(), spec(600));
  await hands.create("a");
  await hands.run("a");
  const id = await hands.handOver("a", "b", 3000);
  await waitForStatus(stage(), "b", spec(), "restoring", ({ migration }) => migration?.state === "restoring");
  await cut(stage().lab, "a", "b");
  await hands.reaches("b", id, "prepared");
  await hands.killDaemon("b");
  await hands.reaches("a", id, "aborted");
  rising(await hands.linesGoOn("a"));
  expect(await hands.reaches("b", id, "prepared")).toMatchObject({ verdict: null });
  expect(await hands.lines("b")).toEqual([]);

  await hands.ask("b", `/migrations/${id}/abort`, { sourceAborted: true });
  await hands.reaches("b", id, "discarded");
  expect(await hands.ask<Status>("b", "/status")).toMatchObject({ service: { state: "standby" }, tree: [] });
  expect(await hands.lines("b")).toEqual([]);
}, 90_000);
