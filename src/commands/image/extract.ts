import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.js";
import type { Extracted } from "../../image/extract.js";
import { passphraseFlag, urlArgument } from "../../migration/image/flags.js";
import { formatSize } from "../../units.js";

export default class Extract extends BaseCommand {
  static override summary = "write CRIU's images out of an image into a directory";
  static override description =
    "Of fastmig's and of FastFreeze's own images: decrypted and unpacked, as `criu restore` and CRIT read them. They hold every secret of the service.";
  static override examples = ["<%= config.bin %> image extract file:/srv/images/redis -o redis-images"];
  static override args = { url: urlArgument };
  static override flags = {
    ...passphraseFlag,
    "output-dir": Flags.string({
      char: "o",
      description: "a directory that is empty, or not there yet",
      required: true,
      helpValue: "DIR",
    }),
    "allow-bad-image-version": Flags.boolean({
      description: "read an image of FastFreeze's, whatever version it has",
      default: false,
    }),
  };

  async run(): Promise<{ url: string; directory: string } & Extracted> {
    const { args, flags } = await this.parse(Extract);
    const [{ openImage }, { ImageReader }, { readPassphrase }, { extractImage, extractFastFreeze }] =
      await Promise.all([
        import("../../image/open.js"),
        import("../../image/reader.js"),
        import("../../image/passphrase.js"),
        import("../../image/extract.js"),
      ]);
    const passphrase = await readPassphrase(flags["passphrase-file"]);
    const { "output-dir": directory, "allow-bad-image-version": anyVersion } = flags;
    const image = await openImage(args.url, process.env);
    const extracted =
      image.made === "FastFreeze"
        ? await extractFastFreeze(image, { passphrase, anyVersion }, directory)
        : await extractImage(await ImageReader.open(image, passphrase), directory);
    this.log(`${directory}: ${extracted.files} files, ${formatSize(extracted.bytes)}`);
    return { url: image.store.url, directory, ...extracted };
  }
}
