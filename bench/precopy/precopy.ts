import { setRate } from "../../src/lab/index.js";
import { type Stage } from "../../test/support/stage.js";
import { median, type Row } from "../figures.js";
import { onMachines, type Say } from "../vm-stage.js";
import { moveByHand } from "./by-hand.js";
import { type PreCopyMove, precopyRows, type PreCopySeries } from "./judge.js";
import { seedLoad, seedRate } from "./load.js";
import { type WatchedMove, WatchedService } from "./ours.js";
import { rawChain } from "./raw-chain.js";

/** As many as say something of a median: the raw moves and those without pre-copy vary less than a prediction. */
const beside = 3;

/** The downtime of pre-copy, with and against everything that it is measured by, on the same machines. */
export function precopyBench(runs: number, say: Say): Promise<Row[]> {
  return onMachines(say, async (stage) => {
    await setRate(stage.lab, seedRate);
    const { ours, stopAndCopy } = await moves(stage, runs, say);
    await again(stage);
    const raw = [];
    for (let run = 1; run <= Math.min(runs, beside); run += 1) {
      raw.push(await rawChain(stage, seedLoad, msToWrite(median(ours.map((move) => move.finalBytes)))));
      say(`raw: ${JSON.stringify(raw.at(-1))}`);
    }
    await again(stage);
    const byHand = [await moveByHand(stage, seedLoad)];
    say(`by hand: ${JSON.stringify(byHand[0])}`);
    return precopyRows({ rate: seedRate, ours, stopAndCopy, raw, byHand });
  });
}

/** Milliseconds in which the service makes so many bytes dirty; that it writes some of them twice counts for little. */
function msToWrite(bytes: number): number {
  return (bytes * 1000) / ((seedLoad.megabytes * 2 ** 20 * seedLoad.percent) / 100);
}

async function again(stage: Stage): Promise<void> {
  await stage.clear();
  await setRate(stage.lab, seedRate);
}

async function moves(
  stage: Stage,
  runs: number,
  say: Say,
): Promise<Pick<PreCopySeries, "ours" | "stopAndCopy">> {
  const service = await WatchedService.start(stage, seedLoad);
  const stopAndCopy: number[] = [];
  for (let run = 1; run <= Math.min(runs, beside); run += 1) {
    stopAndCopy.push((await service.move({ strategy: "stop-and-copy" })).downtime);
    say(`without pre-copy: ${stopAndCopy.at(-1)?.toFixed(0)} ms`);
  }
  const ours: PreCopyMove[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const move = figuresOf(await service.move({ strategy: "pre-copy" }));
    ours.push(move);
    say(`with pre-copy, run ${run} of ${runs}: ${JSON.stringify(move)}`);
  }
  return { ours, stopAndCopy };
}

function figuresOf({ downtime, report }: WatchedMove): PreCopyMove {
  const { rounds, precopy, blackout, transfer, steps, timeline, criu } = report;
  const ahead = steps.find(({ name }) => name === "rounds")?.ms ?? NaN;
  return {
    downtime,
    blackout: blackout?.ms ?? NaN,
    predicted: precopy?.predictedMs ?? NaN,
    ahead: ahead + (timeline.source["frozen"] ?? NaN),
    rounds: rounds.length,
    bytes: sum(rounds.map(({ bytes }) => bytes)),
    finalBytes: transfer.bytes,
    restore: (criu.restore?.["restore_time"] ?? NaN) / 1000,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
