import { expect, test } from "@jest/globals";
import { type Status } from "../../src/daemon/api.js";
import { exitCodes } from "../../src/errors.js";
import { cut, healAll, type LabState, setRate, startNode, stopNode } from "../../src/lab/index.js";
import { type MigrationReport } from "../../src/migration/report.js";
import { pause } from "../../src/wait.js";
import { statusOf } from "../support/daemon.js";
import { type Ended } from "../support/fastmig.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { anyClock, preCopyScene, type PreCopyScene, type Rounds, startInRounds } from "../support/rounds.js";
import { type Cast } from "../support/services.js";
import { type NodeName } from "../support/stage.js";

const stage = onStage(bootedInTurn);
/** Bytes per second: what 2 % of 64 MB are in a few seconds is then long enough under way for a fault. */
const slow = 4e6;

/** Node b is up a few seconds less than a: what sleeps when it is moved to b sleeps so much longer. */
async function bootedInTurn(): Promise<LabState> {
  const lab = await vmLab();
  const boot = async (node: NodeName, after: number): Promise<void> => {
    await stopNode(lab, node);
    await pause(after);
    await startNode(lab, node);
  };
  await Promise.all([boot("a", 0), boot("b", 4000)]);
  return lab;
}

/** What goes wrong in round 2 of one of the moves of a service. */
interface Fault {
  what: string;
  from: NodeName;
  to: NodeName;
  happens(rounds: Rounds, fault: Fault): Promise<void>;
  /** In what the failed round says. */
  why: RegExp;
}

const faults: readonly Fault[] = [
  { what: "the link is cut", from: "b", to: "a", happens: linkIsCut, why: /taken nothing for 15 s/ },
  {
    what: "the destination's disk is full",
    from: "a",
    to: "b",
    happens: diskIsFull,
    why: /no space|ENOSPC/i,
  },
  { what: "a pre-dump is killed", from: "b", to: "a", happens: preDumpIsKilled, why: /criu|pre-dump/i },
];
/** What is written in a few seconds is then long enough under way to lift the cap. */
const capped = { from: "a", rounds: 3, bandwidth: "2MB/s" } as const;

/** One service from beginning to end: to start one takes an emulated machine as long as to move it. */
test(
  "a younger destination is refused by name; rounds ahead are discarded, gone on from and tuned; " +
    "after a fault in round 2 the next round is whole; the memory always arrives whole",
  async () => {
    const scene = await preCopyScene(stage());
    await isRefusedByName(scene);
    await isDiscarded(scene);
    await goesOn(scene);
    for (const fault of faults) await outlives(scene, fault);
  },
  900_000,
);

async function isRefusedByName({ cast, witness }: PreCopyScene): Promise<void> {
  const refused = await stage().fastmig("migrate", await stage().plan([cast], { strategy: "pre-copy" }));
  expect(refused).toMatchObject({
    exit: exitCodes.preflight,
    stderr: expect.stringMatching(/b has been up \d+ s less than a[^]*--allow-clock-jump/),
  });
  await witness.servesOn("a");
}

async function isDiscarded({ cast, witness }: PreCopyScene): Promise<void> {
  const plan = await stage().plan([cast], { strategy: "pre-copy" });
  await stage().result("predump", plan, "--rounds", "1", anyClock);
  expect(await shipped(cast)).toEqual([{ number: 1, parent: null, state: "done" }]);
  await stage().result("predump", plan, "--discard");
  await nothingLeft(cast);
  await witness.servesOn("a");
}

async function goesOn({ cast, witness }: PreCopyScene): Promise<void> {
  const plan = await stage().plan([cast], { strategy: "pre-copy" });
  await stage().result("predump", plan, "--rounds", "2", anyClock);
  await witness.servesOn("a");
  const ahead = await statusOf(stage(), "a", cast);
  expect(await shipped(cast)).toEqual([
    { number: 1, parent: null, state: "done" },
    { number: 2, parent: 1, state: "done" },
  ]);
  const { id } = given(ahead.open);
  const rounds = await startInRounds(stage(), cast, capped);
  await rounds.reach(3);
  await isTuned(cast, id);
  const { exit, stdout, stderr } = await rounds.ended;
  expect({ exit, stderr }).toMatchObject({ exit: exitCodes.done });
  const { migrations } = JSON.parse(stdout) as { migrations: { report: MigrationReport }[] };
  expect(migrations[0]?.report).toMatchObject({
    id,
    rounds: expect.arrayContaining(given(ahead.migration).rounds),
  });
  await witness.servesOn("b");
}

/** At the plan's rate what is left of the round would be under way for several seconds more. */
async function isTuned(cast: Cast, id: string): Promise<void> {
  await stage().result("tune", id, "--bandwidth", "200MB/s", "--downtime", "20s");
  const { migration } = await statusOf(stage(), "a", cast);
  expect(migration?.tuning).toEqual({ bandwidth: 200e6, downtime: 20_000 });
}

async function outlives({ cast, witness }: PreCopyScene, fault: Fault): Promise<void> {
  const { what, from, to, happens, why } = fault;
  const rounds = await startInRounds(stage(), cast, { rounds: 3, from, to });
  await rounds.reach(1, ({ state }) => state === "done");
  await happens(rounds, fault);
  expectRecovered(what, await rounds.ended, why);
  await witness.servesOn(to);
}

async function linkIsCut(rounds: Rounds, { from, to }: Fault): Promise<void> {
  await setRate(stage().lab, slow);
  await rounds.reach(2);
  await cut(stage().lab, from, to);
  await rounds.reach(2, ({ state }) => state === "failed");
  await healAll(stage().lab);
  await setRate(stage().lab, null);
}

async function diskIsFull(rounds: Rounds, { to }: Fault): Promise<void> {
  await stage().on(to, "sh", "-c", imagesSized(rounds.cast.name, "used"));
  await rounds.reach(2, ({ state }) => state === "failed");
  await stage().on(to, "sh", "-c", imagesSized(rounds.cast.name, "1g"));
}

async function preDumpIsKilled(_rounds: Rounds, { from }: Fault): Promise<void> {
  await stage().on(from, "sh", "-c", killPreDump);
}

/** It went on after the failed round with one of the whole memory, and moved. */
function expectRecovered(what: string, { exit, stdout, stderr }: Ended, why: RegExp): void {
  expect({ what, exit, stderr }).toMatchObject({ exit: exitCodes.done });
  const { migrations } = JSON.parse(stdout) as { migrations: { report: { rounds: object[] } }[] };
  expect(migrations[0]?.report.rounds).toMatchObject([
    { number: 1, parent: null, state: "done" },
    { number: 2, state: "failed", failure: { message: expect.stringMatching(why) } },
    { number: 3, parent: null, state: "done" },
  ]);
}

/** Waits for CRIU's next pre-dump and kills it at once. */
const killPreDump =
  "for n in $(seq 1 3000); do pids=$(pgrep -f '[c]riu pre-dump') && kill -KILL $pids && exit; sleep 0.01; done; exit 1";

/** The image directory's file system is from now on as big as said, or as what it holds. `-n`: no trace in /run/mount. */
function imagesSized(container: string, size: string): string {
  const pid = `$(podman inspect --format '{{.State.Pid}}' ${container})`;
  const used = "$(df --output=used -B1 /run/fastmig-images | tail -1)";
  const remount = `mount -n -o remount,size=${size === "used" ? used : size} /run/fastmig-images`;
  return `nsenter -t ${pid} -m sh -c '${remount}'`;
}

async function shipped(cast: Cast): Promise<object[]> {
  const { migration } = await statusOf(stage(), "a", cast);
  return given(migration).rounds.map(({ number, parent, state }) => ({ number, parent, state }));
}

/** No migration is open, no standby is there, and no image. */
async function nothingLeft(cast: Cast): Promise<void> {
  const { open, criu }: Status = await statusOf(stage(), "a", cast);
  expect({ open, features: criu.features }).toEqual({ open: null, features: ["mem_dirty_track"] });
  expect(await stage().on("b", "podman", "ps", "-aq", "--filter", `name=${cast.name}`)).toBe("");
  const find = ["find", "/run/fastmig-images", "-type", "f", "-not", "-path", "*/criu-*"];
  expect(await stage().on("a", "podman", "exec", cast.name, ...find)).toBe("");
}

function given<T>(value: T | null): T {
  if (value === null) throw new Error("no migration is open");
  return value;
}
