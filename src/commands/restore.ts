import { Flags } from "@oclif/core";
import { BaseCommand } from "../base-command.js";
import { connectFlags, connectOptions } from "../migration/flags.js";
import { passphraseFlag, serviceArgument } from "../migration/image/flags.js";
import type { Restored } from "../migration/image/restore.js";
import { planArgument } from "../plan/argument.js";
import { formatDuration, formatSize } from "../units.js";

export default class Restore extends BaseCommand {
  static override summary = "bring a service back from an image";
  static override description =
    "Every node of the plan is asked first: a service that runs or could come back elsewhere is not restored. Every byte of the image is verified before anything of it is brought to life. Without --on it comes back where its migration begins.";
  static override examples = [
    "<%= config.bin %> restore plan.yaml redis --from file:/srv/images/redis --on b",
    "<%= config.bin %> restore --from file:/srv/images/redis --passphrase-file key",
    "<%= config.bin %> restore --from s3://images/redis --latest --on b",
  ];
  static override args = { plan: planArgument, service: serviceArgument };
  static override flags = {
    ...connectFlags,
    ...passphraseFlag,
    from: Flags.string({
      description:
        "where the image is; s3://BUCKET/PATH, gs://BUCKET/PATH, or file:PATH, a path of the service's container; default: what the plan says",
      helpValue: "URL",
    }),
    latest: Flags.boolean({
      description:
        "the service's newest image below that place, as --keep leaves them there; so too where the plan has `keep`",
      default: false,
    }),
    on: Flags.string({ description: "the node", helpValue: "NODE" }),
  };

  async run(): Promise<Restored> {
    const { args, flags } = await this.parse(Restore);
    const [{ loadPlan }, { chooseNode }, { Nodes }, { restoreService }, { imagePlace, oneService }, more] =
      await Promise.all([
        import("../plan/load.js"),
        import("../migration/choose.js"),
        import("../migration/nodes.js"),
        import("../migration/image/restore.js"),
        import("../migration/image/flags.js"),
        Promise.all([
          import("../image/passphrase.js"),
          import("../image/store/access.js"),
          import("../ui/display.js"),
        ]),
      ]);
    const [{ readPassphrase }, { findAccess }, { openDisplay }] = more;
    const plan = await loadPlan(args.plan);
    const service = oneService(plan, args.service);
    const { to: url, keep } = imagePlace(flags.from, service, "--from");
    const options = {
      url,
      access: await findAccess(url, process.env),
      latest: flags.latest || keep !== null,
      on: chooseNode(plan, service.name, flags.on),
      passphrase: await readPassphrase(flags["passphrase-file"]),
    };
    const nodes = new Nodes(plan, connectOptions(flags));
    const display = await openDisplay(this.jsonEnabled());
    const shown = { progress: display.progress, signal: this.interrupt };
    const restored = await restoreService(nodes, service, options, shown).finally(async () => {
      await display.end();
      await nodes.close();
    });
    this.show(restored);
    return restored;
  }

  private show({ service, node, url, epoch, bytes, restoreMs, totalMs }: Restored): void {
    const took = `${formatDuration(restoreMs ?? 0)} for ${formatSize(bytes)}, ${formatDuration(totalMs ?? 0)} in all`;
    this.log(`${service}: runs on ${node} (epoch ${epoch}), from ${url}: ${took}`);
  }
}
