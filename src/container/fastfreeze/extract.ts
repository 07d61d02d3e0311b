/** `fastfreeze extract`: CRIU's images out of an image, into a directory. */
import { basename } from "node:path";
import { FastmigError } from "../../errors.js";
import { extractFastFreeze, extractImage } from "../../image/extract.js";
import { openImage } from "../../image/open.js";
import { readPassphrase } from "../../image/passphrase.js";
import { ImageReader } from "../../image/reader.js";
import { Failure } from "../failure.js";
import { readImageUrl } from "../image-url.js";
import { elapsed, Speech } from "../log.js";
import { parse, usage } from "./options.js";

export async function extract(words: readonly string[]): Promise<void> {
  const { values: options, positionals } = parse("extract", words);
  const speech = new Speech("extract", options.verbose?.length ?? 0);
  const named = options["image-url"] ?? positionals[0];
  if (named === undefined) throw usage("--image-url is missing", "extract");
  const url = readImageUrl(named);
  const directory = options["output-dir"] ?? basename(url);
  const anyVersion = options["allow-bad-image-version"] === true;
  try {
    const passphrase = await readPassphrase(options["passphrase-file"]);
    const image = await openImage(url, process.env);
    speech.say(`Extracting image from ${image.manifest.shards.length} shards`);
    const { bytes } =
      image.made === "FastFreeze"
        ? await extractFastFreeze(image, { passphrase, anyVersion }, directory)
        : await extractImage(await ImageReader.open(image, passphrase), directory);
    speech.say(`Uncompressed image size is ${(bytes / 1024 ** 2).toFixed(0)} MiB`);
  } catch (thrown) {
    if (thrown instanceof FastmigError && thrown.code === "IMAGE_MISSING")
      throw new Failure("Image manifest not found");
    if (!(thrown instanceof FastmigError)) throw thrown;
    throw new Failure(thrown.message, undefined, [...thrown.details, ...thrown.hint]);
  }
  speech.say(`Image extracted to ${directory}. Took ${elapsed().toFixed(1)}s`);
}
