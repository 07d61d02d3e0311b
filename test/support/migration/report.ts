import { roundLine } from "../../../src/migration/precopy/round-line.js";
import type { ReportParts } from "../../../src/migration/report.js";
import { view } from "./facts.js";
import { series } from "./rounds.js";

const source = view("source", {
  state: "released",
  startedAt: "2026-01-01T00:00:02.000Z",
  timeline: { frozen: 10, dumped: 200, shipped: 310, prepared: 500, released: 505, dead: 507, running: 530 },
  transfer: { bytes: 300_000_000, total: 300_000_000, files: 12 },
  verified: ["pids-dead"],
  stats: { frozen_time: 1 },
});
const destination = view("destination", {
  state: "running",
  startedAt: "2026-01-01T00:00:02.100Z",
  timeline: { running: 425 },
  verified: ["digests", "stdio"],
});
const pair = { source: "1", destination: "1" };

export const reportParts: ReportParts = {
  ...{
    id: "01JCXZ0000000000000000000A",
    epoch: 3,
    service: "counter",
    from: "a",
    to: "b",
    strategy: "stop-and-copy",
  },
  budget: 600,
  startedAt: new Date("2026-01-01T00:00:00Z"),
  endedAt: new Date("2026-01-01T00:00:05Z"),
  steps: [{ name: "switchover", ms: 640 }],
  mode: "direct",
  reason: null,
  ...{ source, destination },
  versions: { fastmig: "0.1.0", daemon: pair, criu: pair, engine: pair },
  kept: { node: "a", container: "counter.kept-1", until: "2026-01-01T01:00:05.000Z" },
  warnings: [],
  precopy: { decision: null, rounds: [], quota: null, costs: null },
};

/** The second of two rounds was of this run; the first of its predump. */
const rounds = series([
  { written: 300, totalMs: 3000 },
  { written: 18, totalMs: 180, sinceParentMs: 3200 },
]);
const prediction = {
  ...{
    downtimeMs: 531.25,
    atWorstMs: 540,
    gainMs: 12,
    dirtyBytes: 2.1e6,
    dirtyRate: 5.6e6,
    bandwidth: 100e6,
  },
  parts: { freezeMs: 60, copyMs: 21, restoreMs: 430, handOverMs: 20 },
};

/** The same with pre-copy. */
export const preCopyParts: ReportParts = {
  ...reportParts,
  strategy: "pre-copy",
  source: { ...source, rounds },
  precopy: {
    decision: { kind: "switch", why: "fits", text: "531ms of downtime predicted, within 600ms", prediction },
    rounds: rounds.slice(1).map((round) => roundLine(round, prediction, 600)),
    quota: 25_000,
    costs: null,
  },
};
