/** FastMig's command line. */
import { parseArgs } from "node:util";
import { messageOf } from "../../errors.js";
import { exitCodes, Failure } from "../failure.js";

export const help = `ff_daemon: runs an application, freezes it and brings it back, as it is asked over HTTP

USAGE:
    ff_daemon [OPTIONS]

OPTIONS:
  -k           end the container when the application ends
  -e <file>    the JSON of POST /run, for a container that begins by itself
  -d <file>    how it begins: 0 from scratch, 1 from the image, 2 waiting to be asked [default: /decider.txt]
  -p <port>    [default: 7878]

ENVS:
  FASTMIG_TOKEN_FILE    a file with the secret that clients have to send
  FASTMIG_OPEN=1        no secret: everybody who reaches the port may ask
`;

export interface Options {
  kill: boolean;
  entry: string | null;
  decider: string;
  port: number;
}

/** Throws Failure, exit 1; "help" where that was asked for. */
export function optionsOf(args: string[]): Options | "help" {
  const { values } = parseWords(args);
  if (values.help === true) return "help";
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new Failure(`error: -p takes a port, not ${values.port}`, exitCodes.usage);
  return {
    ...{ kill: values.kill_exit === true, entry: values.entry ?? null, decider: values.decider_path, port },
  };
}

function parseWords(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        kill_exit: { type: "boolean", short: "k" },
        entry: { type: "string", short: "e" },
        decider_path: { type: "string", short: "d", default: "/decider.txt" },
        port: { type: "string", short: "p", default: "7878" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (thrown) {
    throw new Failure(`error: ${messageOf(thrown)}`, exitCodes.usage, ["try: ff_daemon --help"]);
  }
}
