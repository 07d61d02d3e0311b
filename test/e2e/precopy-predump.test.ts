import { expect, test } from "@jest/globals";
import { type Status } from "../../src/daemon/api.js";
import { exitCodes } from "../../src/errors.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { statusOf } from "../support/daemon.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { anyClock, inRound, preCopyScene } from "../support/rounds.js";

const stage = onStage(vmLab);

test("predump makes rounds and leaves the service; a later migrate goes on from them", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 4 });
  await stage().result("predump", plan, "--rounds", "2", anyClock);
  await witness.servesOn("a");
  const { open, migration } = await statusOf(stage(), "a", cast);
  expect(migration?.rounds.map(({ number, parent, state }) => ({ number, parent, state }))).toEqual([
    { number: 1, parent: null, state: "done" },
    { number: 2, parent: 1, state: "done" },
  ]);
  const [report] = (await stage().migrate(plan, anyClock)) as [MigrationReport];
  expect(report.id).toBe(open?.id);
  expect(report.rounds.slice(0, 2)).toEqual(migration?.rounds);
  await witness.servesOn("b");
}, 240_000);

test("predump --discard removes it all; a later migrate starts anew", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 2 });
  await stage().result("predump", plan, "--rounds", "1", anyClock);
  const { open } = await statusOf(stage(), "a", cast);
  await stage().result("predump", plan, "--discard");
  await nothingLeft(cast.name);
  await witness.servesOn("a");
  const [report] = (await stage().migrate(plan, anyClock)) as [MigrationReport];
  expect(report.id).not.toBe(open?.id);
  await witness.servesOn("b");
}, 240_000);

test("tune lifts the cap of a round that is under way", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 2, bandwidth: "2MB/s" });
  const running = stage().startFastmig("migrate", plan, anyClock);
  const id = await inRound(stage(), cast, 1);
  await stage().result("tune", id, "--bandwidth", "200MB/s", "--downtime", "20s");
  const tuned = performance.now();
  await inRound(stage(), cast, 1, ({ state }) => state === "done");
  // At the plan's rate 64 MB are under way for half a minute.
  expect(performance.now() - tuned).toBeLessThan(15_000);
  expect(await tuningOf(cast.name)).toEqual({ bandwidth: 200e6, downtime: 20_000 });
  expect(await running.ended).toMatchObject({ exit: exitCodes.done });
  await witness.servesOn("b");
}, 240_000);

test("SIGINT in the rounds rolls back; a second migrate succeeds", async () => {
  const { cast, plan, witness } = await preCopyScene(stage(), { rounds: 3, bandwidth: "5MB/s" });
  const running = stage().startFastmig("migrate", plan, anyClock);
  await inRound(stage(), cast, 1);
  running.kill("SIGINT");
  expect(await running.ended).toMatchObject({ exit: exitCodes.interrupted });
  await nothingLeft(cast.name);
  await witness.servesOn("a");
  await stage().migrate(plan, anyClock);
  await witness.servesOn("b");
}, 240_000);

/** No migration is open, no standby is there, and no image. */
async function nothingLeft(service: string): Promise<void> {
  const { open, criu } = await statusOf(stage(), "a", { name: service });
  expect({ open, features: criu.features }).toEqual({ open: null, features: ["mem_dirty_track"] });
  expect(await stage().on("b", "podman", "ps", "-aq", "--filter", `name=${service}`)).toBe("");
  const find = ["find", "/run/fastmig-images", "-type", "f", "-not", "-path", "*/criu-*"];
  const images = await stage().on("a", "podman", "exec", service, ...find);
  expect(images).toBe("");
}

async function tuningOf(service: string): Promise<unknown> {
  const { migration }: Status = await statusOf(stage(), "a", { name: service });
  return migration?.tuning;
}
