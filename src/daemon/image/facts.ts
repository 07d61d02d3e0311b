import { release } from "node:os";
import type { newObjects } from "../../image/image.js";
import type { KeySource } from "../../image/keys.js";
import type { Manifest } from "../../image/manifest.js";
import { readProcessor } from "../../instructions.js";
import type { CheckpointRequest, FinalRequest } from "../api.js";
import { readText } from "../at-once.js";
import type { ImageDeps } from "./deps.js";
import type { Captured } from "./shards.js";

export interface Taken {
  captured: Captured;
  tree: FinalRequest["tree"];
  /** Paths that were packed. */
  preserved: string[];
}

/** What a manifest says of an image that was taken here. */
export async function manifestOf(
  { ownership, engine, version }: ImageDeps,
  { id, packing }: CheckpointRequest,
  objects: ReturnType<typeof newObjects>,
  { captured, tree, preserved }: Taken,
  key: KeySource,
): Promise<Manifest> {
  const { epoch, service } = ownership.get();
  if (service === null) throw new Error("nobody knows what the service is started with");
  const { model, features } = readProcessor(await readText("/proc/cpuinfo"));
  const { index, shards, bytes, files } = captured;
  return {
    format: "fastmig-image",
    version: 1,
    id,
    createdAt: new Date().toISOString(),
    fastmig: version,
    service,
    epoch,
    tree,
    criu: engine.version,
    kernel: release(),
    processor: { model, features: features.join(" ") },
    preserved,
    packing,
    key,
    bytes,
    files,
    index: { name: objects.index, ...index },
    shards: shards.map((size, at) => ({ name: objects.shards[at] ?? "", size })),
  };
}
