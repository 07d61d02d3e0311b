/** An image in its store: found, made, judged. */
import { imageError, missing } from "./errors.js";
import type { Keys } from "./keys.js";
import { type Manifest, manifestName, parseManifest, unlock } from "./manifest.js";
import type { Access } from "./store/access.js";
import { openStore } from "./store/open.js";
import type { Store } from "./store/store.js";
import { parseImageUrl } from "./url.js";

export interface StoredImage {
  url: string;
  store: Store;
  manifest: Manifest & { mac: string };
}

/** The image at a place that somebody named. Throws IMAGE_URL, and what `readImage` throws. */
export async function findImage(url: string, access: Access): Promise<StoredImage> {
  return readImage(await openStore(parseImageUrl(url), access));
}

/** Throws IMAGE_MISSING, IMAGE_VERSION, IMAGE_DAMAGED, IMAGE_STORE. */
export async function readImage(store: Store): Promise<StoredImage> {
  return asImage(store, await readManifest(store));
}

/** @param text of its manifest. Throws IMAGE_VERSION, IMAGE_DAMAGED. */
export function asImage(store: Store, text: string): StoredImage {
  return { url: store.url, store, manifest: parseManifest(text, store.url) };
}

/** Its text, whoever wrote it. Throws IMAGE_MISSING, IMAGE_STORE. */
export async function readManifest(store: Store): Promise<string> {
  const text = await store.read(manifestName);
  if (text === undefined)
    throw imageError("IMAGE_MISSING", `there is no image at ${store.url}`, {
      hint: "an image has a manifest.json; without it whoever wrote it did not finish",
    });
  return text.toString("utf8");
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
  await checkSizes(store, manifest);
  return keys;
}

/** That nothing is missing or truncated. Throws IMAGE_DAMAGED. */
async function checkSizes(store: Store, manifest: Manifest): Promise<void> {
  const { url } = store;
  for (const { name, size } of [manifest.index, ...manifest.shards]) {
    const found = await store.size(name);
    if (found === undefined) throw missing(url, name);
    if (found !== size)
      throw imageError(
        "IMAGE_DAMAGED",
        `${url}: ${name} has ${found} bytes, not the ${size} that were written`,
      );
  }
}

/** The objects of an image that is being made. Its name is its own, so that one that is there already stays until the end. */
export function newObjects(id: string, shards: number): { index: string; shards: string[] } {
  return {
    index: `${id}.index`,
    shards: Array.from({ length: shards }, (_, at) => `${id}-${at + 1}.shard`),
  };
}

/**
 * Writes the manifest, which makes it an image, once the store says that all of it is there. Then removes the one that it takes
 * the place of, as far as the store lets us: it would only take room.
 */
export async function publish(store: Store, text: string, manifest: Manifest): Promise<void> {
  await checkSizes(store, manifest);
  await store.write(manifestName, text);
  await removeOthers(store, manifest.id).catch(() => undefined);
}

async function removeOthers(store: Store, id: string): Promise<void> {
  const others = (await store.list()).filter((name) => isObject(name) && !name.startsWith(id));
  await store.remove(others);
}

const isObject = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}(\.index|-[0-9]+\.shard)$/.test(name);
