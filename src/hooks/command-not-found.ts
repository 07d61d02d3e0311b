import type { Hook } from "@oclif/core";
import { schemaVersion } from "../base-command.js";
import { exitCodes } from "../errors.js";
import { type Failure, failureLines } from "../failure.js";
import { nearest } from "../nearest.js";

/** An unknown command is a wrong command line: exit 2, with the nearest command, and JSON where asked. */
const commandNotFound: Hook<"command_not_found"> = async function ({ id, argv, config, context }) {
  const known = config.commandIDs.map((commandId) => commandId.replaceAll(":", " "));
  const failure = unknownCommand(config.bin, id.split(":"), known);
  if (argv?.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ schemaVersion, error: failure }, null, 2)}\n`);
  } else {
    process.stderr.write(`${failureLines(failure).join("\n")}\n`);
  }
  context.exit(failure.exit);
};

export default commandNotFound;

/** @param words what was typed; oclif takes arguments for parts of an unknown command, so the last ones may be such. */
export function unknownCommand(bin: string, words: readonly string[], known: readonly string[]): Failure {
  const readings = words.map((_, at) => words.slice(0, words.length - at).join(" "));
  const close = readings.map((reading) => nearest(reading, known)).find((command) => command !== undefined);
  return {
    code: "UNKNOWN_COMMAND",
    message: `unknown command: ${words.join(" ")}`,
    hint: [close === undefined ? `${bin} --help` : `did you mean: ${bin} ${close}`],
    details: [],
    exit: exitCodes.usage,
  };
}
