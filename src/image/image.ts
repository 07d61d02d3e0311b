/** An image in its store: found, made, judged. */
import { imageError } from "./errors.js";
import type { Keys } from "./keys.js";
import { type Manifest, manifestName, parseManifest, unlock } from "./manifest.js";
import { openStore, type Store } from "./store.js";
import { formatImageUrl, parseImageUrl } from "./url.js";

export interface StoredImage {
  url: string;
  store: Store;
  manifest: Manifest & { mac: string };
}

/** Throws IMAGE_URL, IMAGE_MISSING, IMAGE_VERSION, IMAGE_DAMAGED. */
export async function findImage(url: string): Promise<StoredImage> {
  const parsed = parseImageUrl(url);
  const store = openStore(parsed);
  const text = await store.read(manifestName);
  if (text === undefined)
    throw imageError("IMAGE_MISSING", `there is no image at ${formatImageUrl(parsed)}`, {
      hint: "an image has a manifest.json; without it whoever wrote it did not finish",
    });
  return { url: store.url, store, manifest: parseManifest(text.toString("utf8"), store.url) };
}

/** The names of what an image consists of beside its manifest. */
export const objectsOf = ({ index, shards }: Manifest): string[] => [
  index.name,
  ...shards.map(({ name }) => name),
];

/**
 * Everything that can be known without reading the shards: the passphrase, the manifest's own seal, that nothing is missing
 * or truncated. Throws IMAGE_PASSPHRASE, IMAGE_DAMAGED.
 */
export async function checkImage(
  { url, store, manifest }: StoredImage,
  passphrase: Buffer | null,
): Promise<Keys> {
  const keys = await unlock(manifest, passphrase, url);
  for (const { name, size } of [manifest.index, ...manifest.shards]) {
    const found = await store.size(name);
    if (found === undefined) throw imageError("IMAGE_DAMAGED", `${url}: ${name} is missing`);
    if (found !== size)
      throw imageError(
        "IMAGE_DAMAGED",
        `${url}: ${name} has ${found} bytes, not the ${size} that were written`,
      );
  }
  return keys;
}

/** The objects of an image that is being made. Its name is its own, so that one that is there already stays until the end. */
export function newObjects(id: string, shards: number): { index: string; shards: string[] } {
  return {
    index: `${id}.index`,
    shards: Array.from({ length: shards }, (_, at) => `${id}-${at + 1}.shard`),
  };
}

/** Writes the manifest, which makes it an image, and removes the one that it takes the place of. */
export async function publish(store: Store, text: string, { id }: Manifest): Promise<void> {
  await store.write(manifestName, text);
  const left = (await store.list()).filter((name) => isObject(name) && !name.startsWith(id));
  await store.remove(left);
}

const isObject = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}(\.index|-[0-9]+\.shard)$/.test(name);
