import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { exitCodes, FastmigError } from "../errors.js";
import type { DemoResult } from "../lab/demo/demo.js";

export default class Demo extends BaseCommand {
  static override summary = "move a real Redis between two real nodes of this machine, under a client's eyes";
  static override description =
    "Raises the lab `demo`, starts Redis on node a, attaches a client that writes and reads all the time, runs `fastmig migrate` to node b, and shows what the client saw. The lab stays up to look around. Needs root.";
  static override examples = ["<%= config.bin %> demo", "<%= config.bin %> demo --json --down"];
  static override flags = {
    keys: Flags.integer({ description: "keys that Redis holds", default: 200_000, min: 1 }),
    down: Flags.boolean({ description: "take the lab down at the end" }),
  };

  protected override whatIsLeft(): readonly string[] {
    return ["the lab is up: fastmig lab down --name demo"];
  }

  async run(): Promise<DemoResult> {
    const { flags } = await this.parse(Demo);
    const [{ runDemo }, { down }] = await Promise.all([
      import("../lab/demo/demo.js"),
      import("../lab/down.js"),
    ]);
    const say = (line: string): void => this.logToStderr(`demo: ${line}`);
    try {
      const result = await runDemo({
        keys: flags.keys,
        say,
        signal: this.interrupt,
        shown: !this.jsonEnabled(),
      });
      this.#show(result, flags.down);
      judge(result);
      return result;
    } finally {
      if (flags.down) await down("demo");
      else say("the lab is up; to take it down: fastmig lab down --name demo");
    }
  }

  #show({ timeline, client, same, plan, sshConfig }: DemoResult, gone: boolean): void {
    const saw = [
      `${client.acknowledged} writes acknowledged, ${client.lost} of them lost`,
      same.process ? "the same process answers (PID and run id)" : "another process answers",
      same.data ? "the digest of the data is equal" : "the data differ",
    ];
    const look = [
      "fastmig lab ssh b --name demo -- podman ps --all",
      `fastmig status ${plan} --ssh-config ${sshConfig}`,
      `ssh -F ${sshConfig} a`,
    ];
    this.log(["", "What the client saw:", ...indented(timeline), ...indented(saw)].join("\n"));
    if (!gone) this.log(["", "To look around:", ...indented(look)].join("\n"));
  }
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

function judge({ client, same }: DemoResult): void {
  if (client.lost === 0 && client.contradictions.length === 0 && same.process && same.data) return;
  throw new FastmigError("the service did not arrive as it left", {
    code: "DEMO_BROKEN",
    exit: exitCodes.bug,
    details: client.contradictions,
  });
}
