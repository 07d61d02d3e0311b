/** Whether there is an image to restore, or the application is run from scratch. */
import { FastmigError } from "../errors.js";
import { imageError } from "../image/errors.js";
import { imageVersion } from "../image/manifest.js";
import { openImage } from "../image/open.js";

export type RunMode =
  | { kind: "restore"; preserved: string[] }
  /** `message`: what a user wants to know of it. */
  | { kind: "scratch"; why: "not_asked" | "not_found" | "version_mismatch"; message?: string };

/** Throws IMAGE_DAMAGED, IMAGE_STORE; with `anyVersion` also IMAGE_VERSION: no other can be restored, whatever is allowed. `env`: how stores are reached. */
export async function lookForImage(
  url: string,
  anyVersion: boolean,
  env: NodeJS.ProcessEnv,
): Promise<RunMode> {
  try {
    const image = await openImage(url, env);
    if (image.made === "fastmig") return { kind: "restore", preserved: image.manifest.preserved };
    throw imageError("IMAGE_VERSION", otherVersion(url, image.manifest.version), {
      hint: "FastFreeze's own CRIU and libraries made it: they restore it, `fastfreeze extract` reads it",
    });
  } catch (thrown) {
    if (!(thrown instanceof FastmigError)) throw thrown;
    if (thrown.code === "IMAGE_MISSING") return notFound;
    if (thrown.code !== "IMAGE_VERSION" || anyVersion) throw thrown;
    const message = `Image manifest found, but ${thrown.message}. Running application from scratch`;
    return { kind: "scratch", why: "version_mismatch", message };
  }
}

const notFound: RunMode = {
  kind: "scratch",
  why: "not_found",
  message: "Image manifest not found, running application from scratch",
};

function otherVersion(url: string, version: string): string {
  return `${url} has version ${version} while the expected version is ${imageVersion}`;
}
