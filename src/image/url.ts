import { isAbsolute } from "node:path";
import { imageError } from "./errors.js";

/** Where an image lies: a directory that holds its manifest and its shards. */
export interface ImageUrl {
  scheme: "file";
  path: string;
}

/** `file:PATH` or a bare path, absolute. Throws IMAGE_URL. */
export function parseImageUrl(text: string): ImageUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme !== undefined && scheme !== "file")
    throw imageError("IMAGE_URL", `${text}: images are kept at file:PATH, not at ${scheme}:`);
  const path = text.replace(/^file:(\/\/(?=\/))?/, "");
  if (!isAbsolute(path) || path.includes("\0"))
    throw imageError("IMAGE_URL", `${text}: the path of an image is absolute, as in file:/srv/images/redis`);
  return { scheme: "file", path: path.replace(/(?<=.)\/+$/, "") };
}

/** The place of that name below another. */
export function below({ scheme, path }: ImageUrl, name: string): ImageUrl {
  return { scheme, path: `${path}/${name}` };
}

export function formatImageUrl({ scheme, path }: ImageUrl): string {
  return `${scheme}:${path}`;
}
