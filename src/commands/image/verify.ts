import { BaseCommand } from "../../base-command.js";
import { passphraseFlag, urlArgument } from "../../migration/image/flags.js";
import { formatSize } from "../../units.js";

export default class Verify extends BaseCommand {
  static override summary = "read every byte of an image, and say whether it is what was written";
  static override description = "Exit code 3 where it is not: the message names what is wrong.";
  static override examples = ["<%= config.bin %> image verify file:/srv/images/redis --passphrase-file key"];
  static override args = { url: urlArgument };
  static override flags = passphraseFlag;

  async run(): Promise<{ url: string; verified: number }> {
    const { args, flags } = await this.parse(Verify);
    const [{ findImage }, { ImageReader }, { readPassphrase }] = await Promise.all([
      import("../../image/image.js"),
      import("../../image/reader.js"),
      import("../../image/passphrase.js"),
    ]);
    const passphrase = await readPassphrase(flags["passphrase-file"]);
    const reader = await ImageReader.open(await findImage(args.url, process.env), passphrase);
    let verified = 0;
    await reader.verify((bytes) => (verified = bytes));
    this.log(`${reader.image.url}: every one of ${formatSize(verified)} is what was written`);
    return { url: reader.image.url, verified };
  }
}
