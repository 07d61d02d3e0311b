import { expect, test } from "@jest/globals";
import { exitCodes } from "../../src/errors.js";
import { cut, healAll, type LabState, setRate, startNode, stopNode } from "../../src/lab/index.js";
import { pause } from "../../src/wait.js";
import { type Ended } from "../support/fastmig.js";
import { vmLab } from "../support/lab.js";
import { onStage } from "../support/on-stage.js";
import { preCopyScene, type PreCopyScene, type Rounds, startInRounds } from "../support/rounds.js";
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
  { what: "the link is cut", from: "a", to: "b", happens: linkIsCut, why: /taken nothing for 15 s/ },
  {
    what: "the destination's disk is full",
    from: "b",
    to: "a",
    happens: diskIsFull,
    why: /no space|ENOSPC/i,
  },
  { what: "a pre-dump is killed", from: "a", to: "b", happens: preDumpIsKilled, why: /criu|pre-dump/i },
];

/** One service, from refusal to fault to fault: to start it takes an emulated machine as long as to move it. */
test("a younger destination is refused by name; after each fault in round 2 the next round is whole, and so is the memory that arrives", async () => {
  const scene = await preCopyScene(stage());
  await isRefusedByName(scene);
  for (const fault of faults) {
    const { what, from, to, happens, why } = fault;
    const rounds = await startInRounds(stage(), scene.cast, { rounds: 3, from, to });
    await rounds.reach(1, ({ state }) => state === "done");
    await happens(rounds, fault);
    expectRecovered(what, await rounds.ended, why);
    await scene.witness.servesOn(to);
  }
}, 600_000);

async function isRefusedByName({ cast, witness }: PreCopyScene): Promise<void> {
  const refused = await stage().fastmig("migrate", await stage().plan([cast], { strategy: "pre-copy" }));
  expect(refused).toMatchObject({
    exit: exitCodes.preflight,
    stderr: expect.stringMatching(/b has been up \d+ s less than a[^]*--allow-clock-jump/),
  });
  await witness.servesOn("a");
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
