import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import { passphraseFlag } from "../../migration/image/flags.js";
import { formatSize } from "../../units.js";

export default class Extract extends BaseCommand {
  static override summary = "write CRIU's images out of an image into a directory";
  static override description =
    "Decrypted and unpacked, as `criu restore` and CRIT read them. They hold every secret of the service.";
  static override examples = ["<%= config.bin %> image extract file:/srv/images/redis -o redis-images"];
  static override args = {
    url: Args.string({ description: "file:PATH, a path of this machine", required: true }),
  };
  static override flags = {
    ...passphraseFlag,
    "output-dir": Flags.string({
      char: "o",
      description: "a directory that is empty, or not there yet",
      required: true,
      helpValue: "DIR",
    }),
  };

  async run(): Promise<{ url: string; directory: string; files: number; bytes: number }> {
    const { args, flags } = await this.parse(Extract);
    const [{ findImage }, { ImageReader }, { readPassphrase }, { extractImage }] = await Promise.all([
      import("../../image/image.js"),
      import("../../image/reader.js"),
      import("../../image/passphrase.js"),
      import("../../image/extract.js"),
    ]);
    const passphrase = await readPassphrase(flags["passphrase-file"]);
    const reader = await ImageReader.open(await findImage(args.url), passphrase);
    const directory = flags["output-dir"];
    await extractImage(reader, directory);
    const { bytes, files } = reader.image.manifest;
    this.log(`${directory}: ${files} files, ${formatSize(bytes)}`);
    return { url: reader.image.url, directory, files, bytes };
  }
}
