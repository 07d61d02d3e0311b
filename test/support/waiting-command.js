// A command that waits for ever, run by the tests of signals in a process of its own.
import { setTimeout as sleep } from "node:timers/promises";
import { Flags } from "@oclif/core";
import { handle } from "@oclif/core/handle";
import { BaseCommand } from "../../dist/base-command.js";

class Waiting extends BaseCommand {
  static id = "waiting";
  static flags = { deaf: Flags.boolean() };

  async run() {
    const { flags } = await this.parse(Waiting);
    const signal = this.interrupt;
    process.stderr.write("waiting\n");
    await sleep(60_000, undefined, flags.deaf ? {} : { signal });
  }

  whatIsLeft() {
    return ["node b: container counter"];
  }
}

await Waiting.run(process.argv.slice(2), import.meta.dirname).catch(handle);
