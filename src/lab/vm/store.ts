import { z } from "zod";

/** One record of a containers/storage file, as it is written there; we read only what joins records. */
const record = z.looseObject({ id: z.string() });
const layer = z.looseObject({ id: z.string(), parent: z.string().optional() });
const image = z.looseObject({ id: z.string(), layer: z.string() });

export type Layer = z.infer<typeof layer>;

/** A part of an image store: one image with the layers below it, the topmost first. */
export interface StoredImage {
  image: z.infer<typeof record>;
  layers: readonly Layer[];
}

/** Pure: reads `images.json` and `layers.json`; undefined where the image is not whole there. */
export function findImage(images: string, layers: string, id: string): StoredImage | undefined {
  const found = z
    .array(image)
    .parse(JSON.parse(images))
    .find((each) => each.id === id);
  const known = new Map(
    z
      .array(layer)
      .parse(JSON.parse(layers))
      .map((each) => [each.id, each]),
  );
  const chain: Layer[] = [];
  for (let next = found?.layer; next !== undefined; next = chain.at(-1)?.parent) {
    const each = known.get(next);
    if (each === undefined) return undefined;
    chain.push(each);
  }
  return found === undefined ? undefined : { image: found, layers: chain };
}

/**
 * Pure: what of the store belongs to the image, without the layers that the other side has. `links` are the
 * short names of the layers; a layer that is there already gets one more, because ours call it so.
 */
export function storePaths(
  { image: { id }, layers }: StoredImage,
  links: readonly string[],
  has: readonly string[],
): string[] {
  const missing = layers.filter((each) => !has.includes(each.id));
  return [
    ...missing.flatMap((each) => [`overlay/${each.id}`, `overlay-layers/${each.id}.tar-split.gz`]),
    ...links.map((link) => `overlay/l/${link}`),
    `overlay-images/${id}`,
  ];
}
