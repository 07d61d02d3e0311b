import { BaseCommand } from "../../base-command.js";
import { urlArgument } from "../../migration/image/flags.js";
import type { Catalog } from "../../image/catalog.js";

export default class List extends BaseCommand {
  static override summary = "the images at a place, and right below it";
  static override examples = ["<%= config.bin %> image list file:/srv/images"];
  static override args = { url: urlArgument };

  async run(): Promise<Catalog> {
    const { args } = await this.parse(List);
    const [{ listImages }, { imagesText }] = await Promise.all([
      import("../../image/catalog.js"),
      import("../../ui/images.js"),
    ]);
    const catalog = await listImages(args.url, process.env);
    const text = imagesText(catalog);
    this.log(text === "" ? `there is no image at ${args.url}` : text);
    return catalog;
  }
}
