import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { cut, healAll, setRate, startNode, stopNode } from "../../src/lab/index.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { anyClock, inRound, preCopyScene } from "../support/rounds.js";

const stage = onStage(vmLab);
/** Bytes per second: what 2 % of 64 MB are in a few seconds is then long enough under way for a fault. */
const slow = 4e6;

test("the link is cut in round 2: the next round is whole, and the memory arrives whole", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 5 });
  const running = stage().startFastmig("migrate", plan, anyClock, "--json");
  await inRound(stage(), cast, 1, ({ state }) => state === "done");
  await setRate(stage().lab, slow);
  await inRound(stage(), cast, 2);
  await cut(stage().lab, "a", "b");
  await inRound(stage(), cast, 2, ({ state }) => state === "failed");
  await healAll(stage().lab);
  await setRate(stage().lab, null);
  expectRecovered(await running.ended);
  await witness.servesOn("b");
}, 240_000);

test("the destination's disk is full in round 2", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 5 });
  const running = stage().startFastmig("migrate", plan, anyClock, "--json");
  await inRound(stage(), cast, 1, ({ state }) => state === "done");
  await stage().on("b", "sh", "-c", imagesSized(cast.name, "used"));
  await inRound(stage(), cast, 2, ({ state }) => state === "failed");
  await stage().on("b", "sh", "-c", imagesSized(cast.name, "1g"));
  expectRecovered(await running.ended, /no space|ENOSPC/i);
  await witness.servesOn("b");
}, 240_000);

test("a pre-dump is killed", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 5 });
  const running = stage().startFastmig("migrate", plan, anyClock, "--json");
  await inRound(stage(), cast, 1, ({ state }) => state === "done");
  await stage().on("a", "sh", "-c", killPreDump);
  expectRecovered(await running.ended);
  await witness.servesOn("b");
}, 240_000);

test("a destination whose uptime is lower is refused by name; --allow-clock-jump goes on", async () => {
  // Seconds, not the minutes since the first of these tests: what sleeps when it is moved sleeps so much longer.
  for (const node of ["a", "b"] as const) {
    await stopNode(stage().lab, node);
    await startNode(stage().lab, node);
  }
  const { plan, witness } = await preCopyScene(stage(), { rounds: 2 });
  const refused = await stage().fastmig("migrate", plan);
  expect(refused).toMatchObject({
    exit: exitCodes.preflight,
    stderr: expect.stringMatching(/b has been up \d+ s less than a[^]*--allow-clock-jump/),
  });
  await witness.servesOn("a");
  await stage().migrate(plan, anyClock);
  await witness.servesOn("b");
}, 240_000);

/** It went on after the failed round with one of the whole memory, and moved. */
function expectRecovered(
  { exit, stdout, stderr }: { exit: number | undefined; stdout: string; stderr: string },
  why: RegExp = /./,
): void {
  expect({ exit, stderr }).toMatchObject({ exit: exitCodes.done });
  const { migrations } = JSON.parse(stdout) as { migrations: { report: { rounds: object[] } }[] };
  expect(migrations[0]?.report.rounds.slice(0, 3)).toMatchObject([
    { number: 1, parent: null, state: "done" },
    { number: 2, state: "failed", failure: { message: expect.stringMatching(why) } },
    { number: 3, parent: null },
  ]);
}

/** Waits for CRIU's next pre-dump and kills it at once. */
const killPreDump =
  "for n in $(seq 1 3000); do pids=$(pgrep -f '[c]riu pre-dump') && kill -KILL $pids && exit; sleep 0.01; done; exit 1";

/** The image directory's file system is from now on as big as said, or as what it holds. */
function imagesSized(container: string, size: string): string {
  const pid = `$(podman inspect --format '{{.State.Pid}}' ${container})`;
  const used = "$(df --output=used -B1 /run/fastmig-images | tail -1)";
  const remount = `mount -o remount,size=${size === "used" ? used : size} /run/fastmig-images`;
  return `nsenter -t ${pid} -m sh -c '${remount}'`;
}
