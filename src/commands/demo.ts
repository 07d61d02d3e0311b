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
    name: Flags.string({ description: "the lab's name", default: "demo", helpValue: "LAB" }),
    down: Flags.boolean({ description: "take the lab down at the end" }),
  };

  #name = "demo";

  protected override whatIsLeft(): readonly string[] {
    return [`the lab is up; to take it down: fastmig lab down --name ${this.#name}`];
  }

  async run(): Promise<DemoResult> {
    const { flags } = await this.parse(Demo);
    const { name, keys } = flags;
    this.#name = name;
    const [{ runDemo }, { programName }, { down }] = await Promise.all([
      import("../lab/demo/demo.js"),
      import("../lab/demo/program.js"),
      import("../lab/down.js"),
    ]);
    try {
      const result = await runDemo({ name, keys, say, signal: this.interrupt, shown: !this.jsonEnabled() });
      this.#show(result, flags.down ? undefined : programName());
      judge(result);
      return result;
    } finally {
      if (flags.down) await down(name);
      else say(`the lab is up; to take it down: ${programName()} lab down --name ${name}`);
    }
  }

  #show({ lab, timeline, client, same, plan, sshConfig }: DemoResult, program: string | undefined): void {
    const saw = [
      `${client.acknowledged} writes acknowledged, ${client.lost} of them lost`,
      same.process ? "the same process answers (PID and run id)" : "another process answers",
      same.data ? "the digest of the data is equal" : "the data differ",
    ];
    const look = [
      `${program} lab ssh b --name ${lab} -- podman ps --all`,
      `${program} status ${plan} --ssh-config ${sshConfig}`,
      `ssh -F ${sshConfig} a`,
    ];
    this.log(["", "What the client saw:", ...indented(timeline), ...indented(saw)].join("\n"));
    if (program !== undefined) this.log(["", "To look around:", ...indented(look)].join("\n"));
  }
}

/** Also with --json: stderr is for people. */
function say(line: string): void {
  process.stderr.write(`demo: ${line}\n`);
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
