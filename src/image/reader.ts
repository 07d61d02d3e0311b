/** Reads the files of an image, chunk by chunk; nothing is given that was not verified. */
import { createDecipheriv } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { imageError } from "./errors.js";
import { checkImage, type StoredImage } from "./image.js";
import { type Chunk, type IndexedFile, isIndex, longestChunk, nonceOf, parseIndex } from "./index-file.js";
import { unpackLz4 } from "./lz4.js";

export class ImageReader {
  readonly image: StoredImage;
  readonly files: readonly IndexedFile[];
  readonly #key: Buffer;

  private constructor(image: StoredImage, key: Buffer, files: readonly IndexedFile[]) {
    this.image = image;
    this.files = files;
    this.#key = key;
  }

  /** Throws IMAGE_PASSPHRASE, IMAGE_DAMAGED. */
  static async open(image: StoredImage, passphrase: Buffer | null): Promise<ImageReader> {
    const { chunks: key } = await checkImage(image, passphrase);
    const { url, store, manifest } = image;
    const bytes = await store.read(manifest.index.name);
    const whole = bytes !== undefined && isIndex(bytes, key, manifest.index.tag);
    const files = whole ? parseIndex(bytes) : undefined;
    if (files === undefined)
      throw imageError("IMAGE_DAMAGED", `${url}: ${manifest.index.name} is not what was written`);
    return new ImageReader(image, key, files);
  }

  /** A whole file; undefined: the image has none of that name. */
  async read(name: string): Promise<Buffer | undefined> {
    const file = this.files.find((one) => one.name === name);
    if (file === undefined) return undefined;
    const parts: Buffer[] = [];
    for await (const part of this.contentOf(file)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** A file's content, part after part. Throws IMAGE_DAMAGED, LZ4_MISSING. */
  contentOf(file: IndexedFile): AsyncIterable<Buffer> {
    const { packing } = this.image.manifest;
    const packed = this.#packedOf(file);
    if (packing === "lz4") return unpackLz4(packed);
    return packing === "zstd" ? unpackZstd(packed) : packed;
  }

  async *#packedOf({ chunks }: IndexedFile): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield await this.#open(chunk);
  }

  /** Reads every byte; `told` hears how many were. Throws IMAGE_DAMAGED. */
  async verify(told: (bytes: number) => void): Promise<void> {
    let done = 0;
    for (const { chunks } of this.files) {
      for (const chunk of chunks) {
        await this.#open(chunk);
        done += chunk.stored;
        told(done);
      }
    }
  }

  async #open({ number, shard, at, stored, tag }: Chunk): Promise<Buffer> {
    const { store, manifest, url } = this.image;
    const name = manifest.shards[shard]?.name;
    const bytes = name === undefined ? undefined : await store.readAt(name, at, stored);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonceOf("chunk", number));
    decipher.setAuthTag(tag);
    try {
      if (bytes?.length !== stored) throw new Error("it is shorter");
      if (manifest.key.kind === "passphrase")
        return Buffer.concat([decipher.update(bytes), decipher.final()]);
      decipher.setAAD(bytes);
      decipher.final();
      return bytes;
    } catch (thrown) {
      throw imageError(
        "IMAGE_DAMAGED",
        `${url}: ${name ?? `shard ${shard + 1}`} is damaged: the ${stored} bytes from ${at} on are not what was stored`,
        { cause: thrown },
      );
    }
  }
}

async function* unpackZstd(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const frame of packed) yield zstdDecompressSync(frame, { maxOutputLength: longestChunk });
}
