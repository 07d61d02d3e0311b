import { parseArgs } from "node:util";
import { type Row, table } from "./figures.js";
import { imagesBench } from "./images/images.js";
import { migrateBench } from "./migrate.js";
import { precopyBench } from "./precopy/precopy.js";
import { seedPredump, seedText } from "./precopy/seed-predump.js";

/** What a bench prints, as text and as JSON, and whether all its bars hold. */
interface Outcome {
  text: string;
  json: object;
  holds: boolean;
}

const usage = "usage: npm run bench -- images|migrate|precopy|seed-predump [--json] [--runs N]";
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, runs: { type: "string" } },
});
const say = (line: string): void => console.error(line);
const runs = (otherwise: number): number => Number(values.runs ?? otherwise);

const benches: Readonly<Record<string, () => Promise<Outcome>>> = {
  images: async () => ofRows(await imagesBench(runs(5), say)),
  migrate: async () => ofRows(await migrateBench(runs(5), say)),
  precopy: async () => ofRows(await precopyBench(runs(10), say)),
  "seed-predump": async () => {
    const list = await seedPredump(say);
    return {
      text: seedText(list),
      json: { runs: list },
      holds: list.every(({ irregular }) => irregular.length === 0),
    };
  },
};

function ofRows(rows: readonly Row[]): Outcome {
  return { text: table(rows), json: { rows }, holds: rows.every(({ holds }) => holds !== false) };
}

const name = positionals.join(" ");
const bench = benches[name];
if (bench === undefined) {
  console.error(usage);
  process.exit(2);
}
/** Exit 1 where a bar is missed. */
const { text, json, holds } = await bench();
console.log(values.json ? JSON.stringify({ schemaVersion: 1, bench: name, ...json }, undefined, 2) : text);
if (!holds) process.exitCode = 1;
