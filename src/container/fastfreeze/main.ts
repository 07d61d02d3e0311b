/** FastFreeze's command line, in a service's container. */
import { messageOf } from "../../errors.js";
import { checkpoint } from "./checkpoint.js";
import { extract } from "./extract.js";
import { exitCodes, Failure } from "../failure.js";
import { helpOf, overview } from "./help.js";
import { install } from "./install.js";
import { Speech } from "../log.js";
import { isVerb, parse, usage, type Verb } from "./options.js";
import { run } from "./run.js";
import { wait } from "./wait.js";

const deeds: Readonly<Record<Exclude<Verb, "run">, (words: readonly string[]) => Promise<void>>> = {
  ...{ checkpoint, extract, wait, install },
};

async function main([verb = "", ...words]: readonly string[]): Promise<number> {
  try {
    if (["--help", "-h", "help"].includes(verb)) process.stdout.write(overview);
    else if (!isVerb(verb) || verb === "run")
      throw usage(verb === "" ? "a subcommand is missing" : `no subcommand ${verb}`);
    else if (parse(verb, words).values.help === true) process.stdout.write(helpOf[verb]);
    else await deeds[verb](words);
    return 0;
  } catch (thrown) {
    return tellFailure(verb, thrown);
  }
}

/** Answers the exit code. */
function tellFailure(verb: string, thrown: unknown): number {
  const { exit, details } = thrown instanceof Failure ? thrown : new Failure("");
  if (exit === exitCodes.usage) {
    process.stderr.write([messageOf(thrown), ...details, ""].join("\n"));
    return exit;
  }
  const speech = new Speech(verb, 0);
  for (const line of details) speech.say(line);
  speech.say(verb === "run" ? `Exiting with exit_code=${exit}: ${messageOf(thrown)}` : messageOf(thrown));
  if (exit === exitCodes.restore)
    speech.say("You may try again with --no-restore to run the application from scratch");
  return exit;
}

const [verb, ...words] = process.argv.slice(2);
if (verb === "run") await run(words, (thrown) => tellFailure("run", thrown));
// Nobody is to wait for a recorder of metrics, or for a connection that is kept.
else process.exit(await main(process.argv.slice(2)));
