import { isAbsolute } from "node:path";
import { imageError } from "./errors.js";

/** Where an image lies: what its manifest and its shards have in common. */
export type ImageUrl = FileUrl | BucketUrl;

export interface FileUrl {
  scheme: "file";
  path: string;
}

/** `path` is what the keys of its objects begin with, without slashes around; empty: the whole bucket. */
export interface BucketUrl {
  scheme: "s3" | "gs";
  bucket: string;
  path: string;
}

/** `file:PATH` or a bare path, absolute; `s3://BUCKET/PATH`, `gs://BUCKET/PATH`. Throws IMAGE_URL. */
export function parseImageUrl(text: string): ImageUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/.exec(text)?.[1] ?? "file";
  if (scheme === "s3" || scheme === "gs") return parseBucketUrl(text, scheme);
  if (scheme !== "file")
    throw imageError(
      "IMAGE_URL",
      `${text}: images are kept at file:PATH, s3://BUCKET/PATH or gs://BUCKET/PATH`,
    );
  const path = text.replace(/^file:(\/\/(?=\/))?/, "");
  if (!isAbsolute(path) || path.includes("\0"))
    throw imageError("IMAGE_URL", `${text}: the path of an image is absolute, as in file:/srv/images/redis`);
  return { scheme: "file", path: path.replace(/(?<=.)\/+$/, "") };
}

function parseBucketUrl(text: string, scheme: BucketUrl["scheme"]): BucketUrl {
  const [, bucket, path = ""] = /^\w+:\/\/([a-z0-9][a-z0-9._-]+)(?:\/(.*))?$/s.exec(text) ?? [];
  if (bucket === undefined || /\0|\n|^\/|\/\//.test(path))
    throw imageError(
      "IMAGE_URL",
      `${text}: an image in a bucket is named as in ${scheme}://bucket/images/redis`,
    );
  return { scheme, bucket, path: path.replace(/\/$/, "") };
}

/** The place of that name below another. */
export function below(url: ImageUrl, name: string): ImageUrl {
  return { ...url, path: url.scheme !== "file" && url.path === "" ? name : `${url.path}/${name}` };
}

export function formatImageUrl(url: ImageUrl): string {
  if (url.scheme === "file") return `file:${url.path}`;
  return `${url.scheme}://${url.bucket}${url.path === "" ? "" : `/${url.path}`}`;
}
