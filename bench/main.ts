import { parseArgs } from "node:util";
import { table } from "./figures.js";
import { migrateBench } from "./migrate.js";

/** `npm run bench -- migrate [--json] [--runs 5]`: exit 1 where a bar is missed. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, runs: { type: "string", default: "5" } },
});

if (positionals.join(" ") !== "migrate") {
  console.error("usage: npm run bench -- migrate [--json] [--runs N]");
  process.exit(2);
}
const rows = await migrateBench(Number(values.runs), (line) => console.error(line));
console.log(
  values.json ? JSON.stringify({ schemaVersion: 1, bench: "migrate", rows }, undefined, 2) : table(rows),
);
if (rows.some(({ holds }) => holds === false)) process.exitCode = 1;
