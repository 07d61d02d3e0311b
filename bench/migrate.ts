import { down, type LabState, loadImage, setRate, up } from "../src/lab/index.js";
import { buildFastmigImage } from "../src/lab/demo/images.js";
import { type MigrationReport } from "../src/migration/report.js";
import { Stage } from "../test/support/stage.js";
import { buildWorkloadsImage } from "../test/support/workloads/image.js";
import { daemonMemoryRows } from "./daemon-memory.js";
import { median, minimum, row, type Row } from "./figures.js";
import { Mover, type OurMove } from "./ours.js";
import { rawMove, type RawMove } from "./raw.js";
import { startupRow } from "./startup.js";
import { warm } from "./warm.js";

type Say = (line: string) => void;

const megabytes = 300;
/** Bytes per second. */
const shaped = 100e6;
const lab = "bench";

/** Everything that is measured of a migration, on a lab of its own. */
export async function migrateBench(runs: number, say: Say): Promise<Row[]> {
  const state = await up({ name: lab, rate: null, say });
  try {
    const images = [await buildFastmigImage(say), await buildWorkloadsImage(say)];
    for (const { name } of state.nodes) for (const image of images) await loadImage(state, name, image);
    return await onStage(state, runs, say);
  } finally {
    await down(lab);
  }
}

async function onStage(state: LabState, runs: number, say: Say): Promise<Row[]> {
  const stage = await Stage.set(state);
  try {
    return [...(await moveRows(stage, runs, say)), ...(await sizeRows(stage, say)), startupRow(runs)];
  } finally {
    await stage.strike();
  }
}

interface Series {
  raw: RawMove[];
  direct: OurMove[];
  relay: OurMove[];
  slow: OurMove[];
}

async function moveRows(stage: Stage, runs: number, say: Say): Promise<Row[]> {
  const series = await measure(stage, runs, say);
  const raw = (part: "dump" | "copy" | "restore"): number => minimum(series.raw.map((move) => move[part]));
  const [dump, copy, restore] = [raw("dump"), raw("copy"), raw("restore")];
  const all = dump + copy + restore;
  const bytes = minimum(series.slow.map(({ report }) => report.transfer.bytes));
  const onWire = (bytes / shaped) * 1000 + dump + restore;
  const least = (moves: readonly OurMove[]): number => minimum(moves.map(({ blackout }) => blackout));
  const note = `raw ${all.toFixed(0)} ms: dump ${dump.toFixed(0)} + copy ${copy.toFixed(0)} + restore ${restore.toFixed(0)}, minima of ${runs}`;
  say(`the quickest by direct, as its source saw it: ${phases(quickest(series.direct).report)}`);
  return [
    row("blackout, 300 MB, direct", least(series.direct), "ms", Math.round(1.5 * all), note),
    row("blackout, 300 MB, relay", least(series.relay), "ms", null, "beside it"),
    row(
      "blackout, 300 MB at 100 MB/s, direct",
      least(series.slow),
      "ms",
      Math.round(1.15 * onWire),
      `raw ${onWire.toFixed(0)} ms: bytes ÷ rate + dump + restore`,
    ),
    row(
      "migrate, outside standby, dump, transfer, restore",
      median(series.direct.map(overhead)),
      "ms",
      2500,
      `median of ${runs}`,
    ),
  ];
}

/** The raw move and ours by turns, so that all meet the same machine. */
async function measure(stage: Stage, runs: number, say: Say): Promise<Series> {
  const mover = await Mover.start(stage, megabytes);
  const series: Series = { raw: [], direct: [], relay: [], slow: [] };
  for (let run = 1; run <= runs; run += 1) {
    warm(2);
    series.raw.push(await rawMove(stage, megabytes));
    warm(2);
    series.direct.push(await mover.move("direct"));
    warm(2);
    series.relay.push(await mover.move("relay"));
    await setRate(stage.lab, shaped);
    warm(2);
    series.slow.push(await mover.move("direct"));
    await setRate(stage.lab, null);
    say(`run ${run} of ${runs}: ${said(series)}`);
  }
  await stage.clear();
  return series;
}

function said({ raw, direct, relay, slow }: Series): string {
  const last = raw.at(-1);
  const sum = last === undefined ? NaN : last.dump + last.copy + last.restore;
  const blackouts = [direct, relay, slow].map((moves) => moves.at(-1)?.blackout ?? NaN);
  return ["raw", "direct", "relay", "at 100 MB/s"]
    .map((name, at) => `${name} ${([sum, ...blackouts][at] ?? NaN).toFixed(0)} ms`)
    .join(", ");
}

function quickest(moves: readonly OurMove[]): OurMove {
  return moves.reduce((best, move) => (move.blackout < best.blackout ? move : best));
}

/** Milliseconds after the freeze. */
function phases({ timeline: { source } }: MigrationReport): string {
  const since = source["frozen"] ?? 0;
  return Object.entries(source)
    .toSorted(([, one], [, other]) => one - other)
    .map(([name, at]) => `${name} ${(at - since).toFixed(0)}`)
    .join(", ");
}

/** What `migrate` takes beside what no migration can do without. */
function overhead({ wall, report }: OurMove): number {
  return wall - standbyOf(report) - (report.blackout?.ms ?? 0);
}

function standbyOf({ steps }: MigrationReport): number {
  return steps.find(({ name }) => name === "standby")?.ms ?? 0;
}

async function sizeRows(stage: Stage, say: Say): Promise<Row[]> {
  const size = Number(
    await stage.on("a", "podman", "image", "inspect", "--format", "{{.Size}}", "localhost/fastmig:latest"),
  );
  say("1 GB through the daemon");
  return [row("container image", size / 1e6, "MB", 260), ...(await daemonMemoryRows(stage))];
}
