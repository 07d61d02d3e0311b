import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { labName } from "../../lab/flags.js";
import type { LabSummary } from "../../lab/summary.js";

export default class Up extends BaseCommand {
  static override summary =
    "raise two (or more) real nodes on this machine: OpenSSH, Podman, a network of their own";
  static override description =
    "Run again it changes a running lab: its nodes, its rate. The first run builds a root file system (about a minute). Needs root.";
  static override examples = [
    "<%= config.bin %> lab up",
    "<%= config.bin %> lab up --nodes a,b,c --rate 100MB/s",
    "<%= config.bin %> lab up --kind vm --name machines",
  ];
  static override flags = {
    name: labName,
    nodes: Flags.string({
      summary: "the nodes' names; default: what is up, else a,b",
      delimiter: ",",
      multiple: true,
    }),
    kind: Flags.option({
      summary: "how nodes run: in namespaces of this machine's kernel, or as machines with Debian's (QEMU)",
      options: ["namespaces", "vm"] as const,
    })(),
    memory: Flags.string({ summary: "of each machine (--kind vm); default 3GiB", helpValue: "SIZE" }),
    rate: Flags.string({
      summary: "each node's link, each way: 100MB/s, 1Gbit/s or none; default: as it is",
      helpValue: "RATE",
    }),
  };

  async run(): Promise<LabSummary> {
    const { flags } = await this.parse(Up);
    const { parseMemoryFlag, parseRateFlag } = await import("../../lab/flags.js");
    const rate = parseRateFlag(flags.rate);
    const memory = parseMemoryFlag(flags.memory);
    const { up } = await import("../../lab/up.js");
    const { summary, summaryLines } = await import("../../lab/summary.js");
    const lab = await up({
      name: flags.name,
      nodes: flags.nodes,
      kind: flags.kind,
      memory,
      rate,
      say: (line) => this.logToStderr(line),
    });
    for (const line of summaryLines(lab)) this.log(line);
    return summary(lab);
  }
}
