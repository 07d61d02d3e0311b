/** Images side by side: those at a place and right below it. */
import { messageOf } from "../errors.js";
import { sumOf } from "../sum.js";
import { findImage, objectsOf, type StoredImage } from "./image.js";
import { manifestName } from "./manifest.js";
import { openStore } from "./store.js";
import { below, formatImageUrl, parseImageUrl } from "./url.js";

export interface ListedImage {
  url: string;
  service: string;
  createdAt: string;
  /** Bytes that it takes, and of what it holds. */
  stored: number;
  bytes: number;
  packing: string;
  encrypted: boolean;
}

/** A place with a manifest that cannot be read as one of ours. */
export interface UnreadImage {
  url: string;
  problem: string;
}

export interface Catalog {
  /** The newest first. */
  images: ListedImage[];
  unread: UnreadImage[];
}

/** Throws IMAGE_URL. */
export async function listImages(url: string): Promise<Catalog> {
  const found = await findAll(url);
  return { images: found.images.map(listed), unread: found.unread };
}

async function findAll(url: string): Promise<{ images: StoredImage[]; unread: UnreadImage[] }> {
  const here = parseImageUrl(url);
  const names = await openStore(here).below();
  const places = [here, ...names.map((name) => below(here, name))];
  const images: StoredImage[] = [];
  const unread: UnreadImage[] = [];
  for (const place of places) {
    if ((await openStore(place).size(manifestName)) === undefined) continue;
    try {
      images.push(await findImage(formatImageUrl(place)));
    } catch (thrown) {
      unread.push({ url: formatImageUrl(place), problem: messageOf(thrown) });
    }
  }
  images.sort((one, other) => other.manifest.createdAt.localeCompare(one.manifest.createdAt));
  return { images, unread };
}

function listed({ url, manifest }: StoredImage): ListedImage {
  const { service, createdAt, bytes, packing, key, index, shards } = manifest;
  const stored = index.size + sumOf(shards.map(({ size }) => size));
  const encrypted = key.kind === "passphrase";
  return { url, service: service.name, createdAt, stored, bytes, packing, encrypted };
}

export interface Retention {
  /** How many of each service stay in any case. */
  keepLast: number;
  /** Milliseconds: younger ones stay too. */
  olderThan: number;
  /** Only answer what would be removed. */
  dryRun: boolean;
  now: Date;
}

/** Removes what the retention does not keep; answers what that was. A manifest goes first: half an image is none. */
export async function pruneImages(url: string, retention: Retention): Promise<ListedImage[]> {
  const { images } = await findAll(url);
  const gone = images.filter((image, at) => !isKept(images.slice(0, at), image, retention));
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
