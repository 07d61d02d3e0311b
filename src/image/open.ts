import { asFastFreeze, type FastFreezeImage } from "./fastfreeze/image.js";
import { asImage, readManifest, type StoredImage } from "./image.js";
import type { Access } from "./store/access.js";
import { openStore } from "./store/open.js";
import type { Store } from "./store/store.js";
import { parseImageUrl } from "./url.js";

/** An image, whoever made it. */
export type AnyImage = (StoredImage & { made: "fastmig" }) | (FastFreezeImage & { made: "FastFreeze" });

/** Throws IMAGE_URL, and what `readAnyImage` throws. */
export async function openImage(url: string, access: Access): Promise<AnyImage> {
  return readAnyImage(await openStore(parseImageUrl(url), access));
}

/** Throws IMAGE_MISSING, IMAGE_VERSION, IMAGE_DAMAGED, IMAGE_STORE. */
export async function readAnyImage(store: Store): Promise<AnyImage> {
  const text = await readManifest(store);
  const other = asFastFreeze(store, text);
  if (other !== null) return { made: "FastFreeze", ...other };
  return { made: "fastmig", ...asImage(store, text) };
}
