import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { imageError } from "../../image/errors.js";
import { formatImageUrl, type ImageUrl } from "../../image/url.js";

/** Throws IMAGE_URL where an image would lie in the container's own layer, and be lost with it. */
export async function refuseOwnLayer(url: ImageUrl): Promise<void> {
  if (url.scheme !== "file") return;
  if ((await deviceOf(url.path)) !== (await stat("/")).dev) return;
  throw imageError(
    "IMAGE_URL",
    `${formatImageUrl(url)} lies in the container's own layer, and would be lost with the container`,
    { hint: "give the service a volume there (`run.volumes` in the plan), and start it anew" },
  );
}

/** Of the path, or of what is there of it. */
async function deviceOf(path: string): Promise<number> {
  try {
    return (await stat(path)).dev;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    return deviceOf(dirname(path));
  }
}
