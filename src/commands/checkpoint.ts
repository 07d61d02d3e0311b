import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { connectFlags, connectOptions, readFlag } from "../migration/flags.js";
import type { Checkpointed, CheckpointOptions } from "../migration/image/checkpoint.js";
import { passphraseFlag, serviceArgument } from "../migration/image/flags.js";
import { planArgument } from "../plan/argument.js";
import type { Plan, PlanService } from "../plan/plan.js";
import { formatDuration, formatSize, parseDuration } from "../units.js";

/** As FastFreeze has it: how much of the processors an image may take. */
const packings = { low: "plain", medium: "lz4", high: "zstd" } as const;

export default class Checkpoint extends BaseCommand {
  static override summary = "freeze a service into an image";
  static override description =
    "The memory goes from CRIU into the image as it comes: it is never there a second time. The image counts once its manifest is written, which comes last; only then the service ends. Whatever fails before, it goes on.";
  static override examples = [
    "<%= config.bin %> checkpoint plan.yaml redis --to file:/srv/images/redis",
    "<%= config.bin %> checkpoint --to file:/srv/images/redis --leave-running --cpu-budget high --passphrase-file key",
    "<%= config.bin %> checkpoint plan.yaml redis --to s3://images/redis --every 10m --keep 6",
  ];
  static override args = { plan: planArgument, service: serviceArgument };
  static override flags = {
    ...connectFlags,
    ...passphraseFlag,
    to: Flags.string({
      description:
        "where the image goes; s3://BUCKET/PATH, gs://BUCKET/PATH, or file:PATH, a path of the service's container; default: what the plan says",
      helpValue: "URL",
    }),
    "leave-running": Flags.boolean({
      description: "the service goes on once it is frozen into the image",
      default: false,
    }),
    "cpu-budget": Flags.option({
      description: "low: not compressed; medium: lz4; high: zstd",
      options: ["low", "medium", "high"] as const,
      default: "medium",
    })(),
    "num-shards": Flags.integer({
      description: "files that the image is written into side by side; in a bucket each takes 6 MB of memory",
      default: 3,
      min: 1,
      max: 256,
      helpValue: "N",
    }),
    "preserve-path": Flags.string({
      description:
        "a file or directory of the container that travels with the memory, beside the plan's `preserve`; several with colons",
      multiple: true,
      default: [],
      helpValue: "PATH",
    }),
    keep: Flags.integer({
      description:
        "the image gets a place of its own below --to, and so many of the service's images stay there",
      min: 1,
      max: 10_000,
      helpValue: "N",
    }),
    every: Flags.string({
      description: "go on making images until it is interrupted; the service goes on",
      dependsOn: ["keep"],
      helpValue: "DURATION",
    }),
    lease: Flags.string({
      description: "how long the service may stay frozen without progress",
      default: "30s",
      helpValue: "DURATION",
    }),
    deadline: Flags.string({
      description: "how long it may stay frozen in all",
      default: "1h",
      helpValue: "DURATION",
    }),
  };

  async run(): Promise<Checkpointed> {
    const { args, flags } = await this.parse(Checkpoint);
    const [
      { loadPlan },
      { imagePlace, oneService, refuseEndlessJson },
      { readPassphrase },
      { findAccess },
      { repeat },
    ] = await Promise.all([
      import("../plan/load.js"),
      import("../migration/image/flags.js"),
      import("../image/passphrase.js"),
      import("../image/store/access.js"),
      import("../migration/image/repeat.js"),
    ]);
    const plan = await loadPlan(args.plan);
    const service = oneService(plan, args.service);
    const planned = imagePlace(flags.to, service, "--to");
    const every = flags.every === undefined ? planned.every : readFlag("--every", flags.every, parseDuration);
    if (every !== null && this.jsonEnabled()) refuseEndlessJson();
    const options = {
      access: await findAccess(planned.to, process.env),
      ...{ url: planned.to, keep: flags.keep ?? planned.keep, shards: flags["num-shards"] },
      leaveRunning: flags["leave-running"] || every !== null,
      preserve: flags["preserve-path"].flatMap((paths) => paths.split(":")),
      packing: packings[flags["cpu-budget"]],
      passphrase: await readPassphrase(flags["passphrase-file"]),
      lease: readFlag("--lease", flags.lease, parseDuration),
      deadline: readFlag("--deadline", flags.deadline, parseDuration),
    };
    const once = (): Promise<Checkpointed> => this.make(plan, service, options, connectOptions(flags));
    return every === null ? once() : repeat(every, once, (thrown) => this.complain(thrown), this.interrupt);
  }

  /** Connects anew: hours may lie between one image and the next. */
  private async make(
    plan: Plan,
    service: PlanService,
    options: CheckpointOptions,
    how: ReturnType<typeof connectOptions>,
  ): Promise<Checkpointed> {
    const [{ Nodes }, { checkpointService }, { openDisplay }] = await Promise.all([
      import("../migration/nodes.js"),
      import("../migration/image/checkpoint.js"),
      import("../ui/display.js"),
    ]);
    const nodes = new Nodes(plan, how);
    const display = await openDisplay(this.jsonEnabled());
    const shown = { progress: display.progress, signal: this.interrupt };
    const made = await checkpointService(nodes, plan, service, options, shown).finally(async () => {
      await display.end();
      await nodes.close();
    });
    this.show(made, plan.path);
    return made;
  }

  private show(
    { service, node, url, bytes, stored, frozenMs, leftRunning }: Checkpointed,
    plan: string,
  ): void {
    const sizes = `${formatSize(bytes)} of memory and state in ${formatSize(stored)}`;
    const frozen = `frozen for ${formatDuration(frozenMs ?? 0)}`;
    const now = leftRunning ? `${service} goes on, on ${node}` : `${service} has ended on ${node}`;
    this.log(`${service}: ${url}: ${sizes}, ${frozen}; ${now}`);
    if (!leftRunning) this.log(`\`fastmig restore ${plan} ${service} --from ${url}\` brings it back`);
  }
}
