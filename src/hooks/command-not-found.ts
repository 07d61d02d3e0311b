import { type Hook } from "@oclif/core";
import { exitCodes } from "../errors.js";
import { failureLines } from "../failure.js";
import { nearest } from "../nearest.js";

/** An unknown command is a wrong command line: exit 2, with the nearest command, and JSON where asked. */
const commandNotFound: Hook<"command_not_found"> = async function ({ id, argv, config, context }) {
  const typed = id.replaceAll(":", " ");
  const known = config.commandIDs.map((commandId) => commandId.replaceAll(":", " "));
  const close = nearest(typed, known);
  const failure = {
    code: "UNKNOWN_COMMAND",
    message: `unknown command: ${typed}`,
    hint: [close === undefined ? `${config.bin} --help` : `did you mean: ${config.bin} ${close}`],
    details: [],
    exit: exitCodes.usage,
  };
  if (argv?.includes("--json"))
    process.stdout.write(`${JSON.stringify({ schemaVersion: 1, error: failure }, null, 2)}\n`);
  else process.stderr.write(`${failureLines(failure).join("\n")}\n`);
  context.exit(failure.exit);
};

export default commandNotFound;
