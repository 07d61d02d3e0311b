import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { median, row, type Row } from "./figures.js";

const program = join(import.meta.dirname, "../bin/run.js");

/** `fastmig --version` against the bare runtime, by turns. */
export function startupRow(runs: number): Row {
  const times = Array.from({ length: runs + 1 }, () => ({
    bare: timed(["-e", "0"]),
    ours: timed([program, "--version"]),
  }));
  const warm = times.slice(1);
  const bare = median(warm.map((time) => time.bare));
  const ours = median(warm.map((time) => time.ours));
  return row(
    "fastmig --version ÷ node -e 0",
    ours / bare,
    "×",
    4,
    `${ours.toFixed(0)} ms ÷ ${bare.toFixed(0)} ms, medians of ${runs}`,
  );
}

function timed(args: readonly string[]): number {
  const began = performance.now();
  execFileSync(process.execPath, args, { stdio: "ignore" });
  return performance.now() - began;
}
