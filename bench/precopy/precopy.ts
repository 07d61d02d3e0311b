import { setRate } from "../../src/lab/index.js";
import { type Stage } from "../../test/support/stage.js";
import { median, type Row } from "../figures.js";
import { onMachines, type Say } from "../vm-stage.js";
import { moveByHand } from "./by-hand.js";
import { type PreCopyMove, precopyRows, type PreCopySeries } from "./judge.js";
import { seedLoad, seedRate } from "./load.js";
import { type WatchedMove, WatchedService } from "./ours.js";
import { rawChain } from "./raw-chain.js";

/** Everything is measured by turns. A turn has one move without pre-copy and a raw one: they vary less than a prediction. */
const mostTurns = 3;

/** The downtime of pre-copy, with and against everything that it is measured by, on the same machines. */
export function precopyBench(runs: number, say: Say): Promise<Row[]> {
  return onMachines(say, async (stage) => {
    const series: Omit<PreCopySeries, "rate" | "byHand"> = { ours: [], stopAndCopy: [], raw: [] };
    const turns = Math.min(mostTurns, runs);
    for (let turn = 1; turn <= turns; turn += 1) {
      await again(stage);
      // The first move after a start is the slower one, and is the one without pre-copy.
      const service = await WatchedService.start(stage, seedLoad);
      series.stopAndCopy.push((await service.move({ strategy: "stop-and-copy" })).downtime);
      say(`without pre-copy: ${series.stopAndCopy.at(-1)?.toFixed(0)} ms`);
      while (series.ours.length < Math.round((runs * turn) / turns)) {
        const move = figuresOf(await service.move({ strategy: "pre-copy" }));
        series.ours.push(move);
        say(`with pre-copy, run ${series.ours.length} of ${runs}: ${JSON.stringify(move)}`);
      }
      await again(stage);
      const finalBytes = median(series.ours.map((move) => move.finalBytes));
      series.raw.push(await rawChain(stage, seedLoad, msToWrite(finalBytes)));
      say(`raw: ${JSON.stringify(series.raw.at(-1))}`);
    }
    await again(stage);
    const byHand = [await moveByHand(stage, seedLoad)];
    say(`by hand: ${JSON.stringify(byHand[0])}`);
    return precopyRows({ rate: seedRate, ...series, byHand });
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

function figuresOf({ downtime, report }: WatchedMove): PreCopyMove {
  const { rounds, precopy, blackout, transfer, criu } = report;
  return {
    downtime,
    blackout: blackout?.ms ?? NaN,
    predicted: precopy?.predictedMs ?? NaN,
    ahead: Date.parse(blackout?.frozenAt ?? "") - Date.parse(rounds[0]?.startedAt ?? ""),
    rounds: rounds.length,
    bytes: sum(rounds.map(({ bytes }) => bytes)),
    finalBytes: transfer.bytes,
    restore: (criu.restore?.["restore_time"] ?? NaN) / 1000,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
