import { down, type LabState, loadImage, up } from "../../src/lab/index.js";
import { Stage } from "../../test/support/stage.js";
import { buildWorkloadsImage } from "../../test/support/workloads/image.js";
import { type Row } from "../figures.js";
import { type Series, rateRows, treeRow, memoryRow, roomRow } from "./judge.js";
import { extraMemory, freezeInRoom, type InBucket, room, withBucket } from "./memory.js";
import { type Budget, type OurTimes, Sleeper } from "./ours.js";
import { rawTimes } from "./raw.js";

type Say = (line: string) => void;

const lab = "bench";
const megabytes = 1024;
const processes = 16;
const sizes = [256, 1024, 3072];
const confinedRuns = 5;

/** Everything that is measured of checkpoint images, on a lab of its own. */
export async function imagesBench(runs: number, say: Say): Promise<Row[]> {
  const state = await up({ name: lab, rate: null, say });
  try {
    const image = await buildWorkloadsImage(say);
    for (const { name } of state.nodes) await loadImage(state, name, image);
    return await onStage(state, runs, say);
  } finally {
    await down(lab);
  }
}

async function onStage(state: LabState, runs: number, say: Say): Promise<Row[]> {
  const stage = await Stage.set(state);
  try {
    const series = await measure(stage, runs, say);
    const rows = rateRows(series, runs);
    const tree = await sleeps(stage, runs, processes, say);
    rows.push(treeRow(series.ours.low, tree, processes));
    for (const size of sizes) {
      say(`extra memory at ${size} MB`);
      rows.push(memoryRow(`${size} MB`, await extraMemory(stage, size), room / 1e6));
    }
    for (const kind of ["S3", "Google's"] as const)
      rows.push(
        ...(await withBucket(stage.lab.controller.address, kind, (to) => bucketRows(stage, kind, to, say))),
      );
    return rows;
  } finally {
    await stage.strike();
  }
}

async function bucketRows(stage: Stage, kind: string, to: InBucket, say: Say): Promise<Row[]> {
  const what = `${megabytes} MB to ${kind}`;
  say(`extra memory, ${what}`);
  const resident = memoryRow(what, await extraMemory(stage, megabytes, to), null);
  const [free, confined]: [number[], number[]] = [[], []];
  for (let run = 1; run <= confinedRuns; run += 1) {
    free.push(await freezeInRoom(stage, megabytes, to, false));
    confined.push(await freezeInRoom(stage, megabytes, to, true));
    say(`${what}, run ${run} of ${confinedRuns}: ${free.at(-1)} ms, confined ${confined.at(-1)} ms`);
  }
  return [resident, roomRow(what, free, confined)];
}

async function measure(stage: Stage, runs: number, say: Say): Promise<Series> {
  say("raw");
  const raw = await rawTimes(stage, ["/srv/text.py", "raw", "8100", String(megabytes)], runs);
  say(JSON.stringify(raw));
  const sleeper = await Sleeper.start(stage, megabytes);
  const ours: Series["ours"] = {
    low: [],
    medium: [],
    high: [],
    lowSecret: [],
    mediumSecret: [],
    highSecret: [],
  };
  for (let run = 1; run <= runs; run += 1) {
    for (const budget of ["low", "medium", "high"] as const) {
      ours[budget].push(await sleeper.sleep(budget, false));
      ours[`${budget}Secret`].push(await sleeper.sleep(budget, true));
    }
    say(`run ${run} of ${runs}: ${said(ours)}`);
  }
  await sleeper.end();
  return { raw, ours };
}

async function sleeps(stage: Stage, runs: number, count: number, say: Say): Promise<OurTimes[]> {
  const sleeper = await Sleeper.start(stage, megabytes, count);
  const budget: Budget = "low";
  const times: OurTimes[] = [];
  for (let run = 1; run <= runs; run += 1) {
    times.push(await sleeper.sleep(budget, false));
    say(`${count} processes, run ${run} of ${runs}: ${last(times)}`);
  }
  await sleeper.end();
  return times;
}

const last = (times: readonly OurTimes[]): string => {
  const { made, back } = times.at(-1) ?? {};
  return `${made?.totalMs}/${made?.frozenMs}, back ${back?.totalMs}/${back?.restoreMs} ms`;
};

function said(ours: Series["ours"]): string {
  return Object.entries(ours)
    .map(([name, times]) => `${name} ${last(times)}`)
    .join("; ");
}
