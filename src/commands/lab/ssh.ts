import { Args } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";
import type { Session } from "../../lab/ssh.js";

export default class Ssh extends BaseCommand {
  static override summary = "log in on a node of the lab, or run a command there";
  static override description = "The exit code is the command's; 255 where there was no connection.";
  static override examples = [
    "<%= config.bin %> lab ssh a",
    "<%= config.bin %> lab ssh a -- podman ps --all",
  ];
  static override strict = false;
  static override args = { node: Args.string({ description: "the node's name", required: true }) };
  static override flags = { name: labName };

  async run(): Promise<Session> {
    const { args, argv, flags } = await this.parse(Ssh);
    const { runningLab } = await import("../../lab/status.js");
    const { session } = await import("../../lab/ssh.js");
    const command = argv.slice(1).map(String);
    const ended = await session(
      await runningLab(flags.name),
      args.node,
      command,
      this.jsonEnabled() ? "pipe" : "inherit",
    );
    process.exitCode = ended.exitCode;
    return ended;
  }
}
