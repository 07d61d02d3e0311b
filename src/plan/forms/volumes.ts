import type { Volume } from "../plan.js";
import { readPath } from "./paths.js";

/** `/path of the node:/path of the container[:ro]`. */
export function readVolume(text: string): Volume {
  const [host, container, mode, ...more] = text.split(":");
  const known = mode === undefined || mode === "ro";
  if (host === undefined || container === undefined || !known || more.length > 0) {
    throw new Error(
      `"${text}" is not a volume: "/path of the node:/path of the container", with :ro where it is read-only`,
    );
  }
  return { host: readPath(host), container: readPath(container), readOnly: mode === "ro" };
}

/** What `readVolume` reads again, and what a container engine's `--volume` takes. */
export function formatVolume(volume: Volume): string {
  return `${volume.host}:${volume.container}${volume.readOnly ? ":ro" : ""}`;
}
