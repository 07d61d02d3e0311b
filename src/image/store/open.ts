import type { ImageUrl } from "../url.js";
import type { Access } from "./access.js";
import { FileStore } from "./file.js";
import type { Store } from "./store.js";

/** Loads what it takes to speak with that kind of store, and nothing for the others. Nobody is asked yet. */
export async function openStore(url: ImageUrl, access: Access): Promise<Store> {
  if (url.scheme === "file") return new FileStore(url.path);
  const command = access[url.scheme === "s3" ? "S3_CMD" : "GS_CMD"];
  if (command !== undefined && command !== "") {
    const { CommandStore } = await import("./command.js");
    return new CommandStore(url, command);
  }
  if (url.scheme === "s3") {
    const { S3Store } = await import("./s3.js");
    return new S3Store(url, access);
  }
  const { GoogleStore } = await import("./google.js");
  return new GoogleStore(url, access);
}
