/** Images side by side: those at a place and right below it. */
import { imageError } from "./errors.js";
import { messageOf } from "../errors.js";
import { sumOf } from "../sum.js";
import type { FastFreezeImage } from "./fastfreeze/image.js";
import { objectsOf, type StoredImage } from "./image.js";
import { manifestName } from "./manifest.js";
import { type AnyImage, readAnyImage } from "./open.js";
import type { Access } from "./store/access.js";
import { openStore } from "./store/open.js";
import { below, formatImageUrl, parseImageUrl } from "./url.js";

export interface ListedImage {
  url: string;
  made: AnyImage["made"];
  /** Null: FastFreeze does not say. */
  service: string | null;
  createdAt: string | null;
  /** Bytes that it takes, and of what it holds; null as above. */
  stored: number;
  bytes: number | null;
  packing: string;
  encrypted: boolean;
}

/** A place with a manifest that cannot be read as one of ours. */
export interface UnreadImage {
  url: string;
  problem: string;
}

export interface Catalog {
  /** The newest first, those of FastFreeze last. */
  images: ListedImage[];
  unread: UnreadImage[];
}

/** Throws IMAGE_URL, IMAGE_STORE. */
export async function listImages(url: string, access: Access): Promise<Catalog> {
  const { images, others, unread } = await findAll(url, access);
  return { images: [...images.map(listed), ...(await Promise.all(others.map(listedOther)))], unread };
}

async function findAll(
  url: string,
  access: Access,
): Promise<{ images: StoredImage[]; others: FastFreezeImage[]; unread: UnreadImage[] }> {
  const here = parseImageUrl(url);
  const names = await (await openStore(here, access)).below();
  const places = [here, ...names.map((name) => below(here, name))];
  const images: StoredImage[] = [];
  const others: FastFreezeImage[] = [];
  const unread: UnreadImage[] = [];
  for (const place of places) {
    const store = await openStore(place, access);
    if ((await store.size(manifestName)) === undefined) continue;
    try {
      const image = await readAnyImage(store);
      if (image.made === "fastmig") images.push(image);
      else others.push(image);
    } catch (thrown) {
      unread.push({ url: formatImageUrl(place), problem: messageOf(thrown) });
    }
  }
  images.sort((one, other) => other.manifest.createdAt.localeCompare(one.manifest.createdAt));
  return { images, others, unread };
}

function listed({ url, manifest }: StoredImage): ListedImage {
  const { service, createdAt, bytes, packing, key, index, shards } = manifest;
  const stored = index.size + sumOf(shards.map(({ size }) => size));
  const encrypted = key.kind === "passphrase";
  return { url, made: "fastmig", service: service.name, createdAt, stored, bytes, packing, encrypted };
}

async function listedOther({ store, manifest }: FastFreezeImage): Promise<ListedImage> {
  const { packing, cipher, shards } = manifest;
  const sizes = await Promise.all(shards.map((name) => store.size(name)));
  const stored = sumOf(sizes.map((size) => size ?? 0));
  const unsaid = { service: null, createdAt: null, bytes: null };
  return { url: store.url, made: "FastFreeze", ...unsaid, stored, packing, encrypted: cipher !== null };
}

/** A service's newest image at a place, or right below it. Throws IMAGE_MISSING, IMAGE_STORE. */
export async function latestImage(url: string, access: Access, service: string): Promise<string> {
  const { images } = await findAll(url, access);
  const found = images.find(({ manifest }) => manifest.service.name === service);
  if (found !== undefined) return found.url;
  throw imageError("IMAGE_MISSING", `there is no image of ${service} at ${url}, nor right below it`);
}

export interface Retention {
  /** Whose images; not there: each service's. */
  service?: string;
  /** How many of each service stay in any case. */
  keepLast: number;
  /** Milliseconds: younger ones stay too. */
  olderThan: number;
  /** Only answer what would be removed. */
  dryRun: boolean;
  now: Date;
}

/**
 * Removes what the retention does not keep; answers what that was. A manifest goes first: half an image is none. Those of
 * FastFreeze stay: nobody knows how old they are.
 */
export async function pruneImages(url: string, access: Access, retention: Retention): Promise<ListedImage[]> {
  const { images } = await findAll(url, access);
  const asked = images.filter(
    ({ manifest }) => (retention.service ?? manifest.service.name) === manifest.service.name,
  );
  const gone = asked.filter((image, at) => !isKept(asked.slice(0, at), image, retention));
  for (const { store, manifest } of retention.dryRun ? [] : gone) {
    await store.remove([manifestName]);
    await store.remove(objectsOf(manifest));
    await store.clear();
  }
  return gone.map(listed);
}

/** @param newer all images that are newer. */
function isKept(
  newer: readonly StoredImage[],
  { manifest }: StoredImage,
  { keepLast, olderThan, now }: Retention,
): boolean {
  const before = newer.filter((one) => one.manifest.service.name === manifest.service.name).length;
  return before < keepLast || now.getTime() - Date.parse(manifest.createdAt) < olderThan;
}
