import { exitCodes, FastmigError, type ErrorParts } from "../errors.js";

/**
 * What is wrong with an image or with how it is named, in words that a script may look for. No process has been touched.
 * - `IMAGE_URL`: no place that images can be kept at
 * - `IMAGE_STORE`: the store cannot be reached, or refuses
 * - `IMAGE_MISSING`: there is no manifest, so no image
 * - `IMAGE_VERSION`: made by a program that writes another version of the format
 * - `IMAGE_DAMAGED`: something is missing, truncated or not what was written
 * - `IMAGE_PASSPHRASE`: encrypted, and no passphrase or another one was given
 * - `IMAGE_UNFIT`: whole, but not for this container
 */
export type ImageErrorCode =
  | "IMAGE_URL"
  | "IMAGE_STORE"
  | "IMAGE_MISSING"
  | "IMAGE_VERSION"
  | "IMAGE_DAMAGED"
  | "IMAGE_PASSPHRASE"
  | "IMAGE_UNFIT";

export function imageError(
  code: ImageErrorCode,
  message: string,
  parts: Omit<Partial<ErrorParts>, "code"> = {},
): FastmigError {
  const exit = code === "IMAGE_URL" ? exitCodes.usage : exitCodes.preflight;
  return new FastmigError(message, { exit, ...parts, code });
}

/** An object that the manifest names. */
export function missing(url: string, name: string): FastmigError {
  return imageError("IMAGE_DAMAGED", `${url}: ${name} is missing`);
}
