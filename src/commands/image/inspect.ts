import { BaseCommand } from "../../base-command.js";
import type { DumpedProcess } from "../../criu/tree.js";
import { passphraseFlag, urlArgument } from "../../migration/image/flags.js";
import { formatSize } from "../../units.js";

interface Inspected {
  url: string;
  id: string;
  service: string;
  command: readonly string[];
  user: string;
  createdAt: string;
  epoch: number;
  bytes: number;
  packing: string;
  encrypted: boolean;
  criu: string;
  kernel: string;
  processor: string;
  processes: DumpedProcess[];
}

export default class Inspect extends BaseCommand {
  static override summary = "what is in an image: processes, their memory, files and sockets";
  static override examples = [
    "<%= config.bin %> image inspect file:/srv/images/redis",
    "<%= config.bin %> image inspect file:/srv/images/redis --json",
  ];
  static override args = { url: urlArgument };
  static override flags = passphraseFlag;

  async run(): Promise<Inspected> {
    const { args, flags } = await this.parse(Inspect);
    const [{ findImage }, { ImageReader }, { readPassphrase }, { readDump }, { processesText }] =
      await Promise.all([
        import("../../image/image.js"),
        import("../../image/reader.js"),
        import("../../image/passphrase.js"),
        import("../../criu/tree.js"),
        import("../../ui/images.js"),
      ]);
    const image = await findImage(args.url, process.env);
    const reader = await ImageReader.open(image, await readPassphrase(flags["passphrase-file"]));
    const processes = await readDump((name) => reader.read(name));
    const inspected = describe(image, processes);
    for (const line of headLines(inspected)) this.log(line);
    this.log(processesText(processes));
    return inspected;
  }
}

function describe(
  { url, manifest }: Awaited<ReturnType<typeof import("../../image/image.js").findImage>>,
  processes: DumpedProcess[],
): Inspected {
  const { id, createdAt, epoch, bytes, packing, key, criu, kernel, processor, service } = manifest;
  return {
    ...{
      url,
      id,
      service: service.name,
      command: service.command,
      user: service.user,
      createdAt,
      epoch,
      bytes,
    },
    ...{ packing, encrypted: key.kind === "passphrase", criu, kernel, processor: processor.model, processes },
  };
}

function headLines({
  service,
  command,
  user,
  createdAt,
  epoch,
  bytes,
  criu,
  kernel,
  processor,
}: Inspected): string[] {
  return [
    `${service} (epoch ${epoch}), frozen at ${createdAt}: ${formatSize(bytes)}`,
    `command ${command.join(" ")} as ${user}`,
    `CRIU ${criu}, kernel ${kernel}, ${processor}`,
  ];
}
