/** The manifest of an image that FastFreeze made: https://github.com/twosigma/fastfreeze, src/image/manifest.rs. */
import * as z from "zod/mini";
import { imageError } from "../errors.js";

/** Of FastFreeze 1.3.0, its last. */
export const fastFreezeVersion = "2021-03-22";

const Manifest = z.object({
  version: z.string(),
  num_shards: z.int().check(z.minimum(1), z.maximum(1024)),
  /** Versions from before FastFreeze encrypted leave it out. */
  encryption: z.optional(z.nullable(z.object({ cipher: z.string() }))),
  compression: z.optional(z.nullable(z.enum(["Lz4", "Zstd"]))),
  shard_prefix: z.string().check(z.regex(/^[A-Za-z0-9]{1,64}$/)),
});

export interface FastFreezeManifest {
  version: string;
  shards: string[];
  cipher: string | null;
  packing: "plain" | "lz4" | "zstd";
}

/** Null: it is none of FastFreeze's. Throws IMAGE_DAMAGED. */
export function parseFastFreeze(json: unknown, where: string): FastFreezeManifest | null {
  if (typeof json !== "object" || json === null || "format" in json || !("shard_prefix" in json)) return null;
  const parsed = Manifest.safeParse(json);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join(".");
    throw imageError("IMAGE_DAMAGED", `${where}: FastFreeze's manifest: ${path} is not as it should be`);
  }
  const { version, num_shards: count, encryption, compression, shard_prefix: prefix } = parsed.data;
  return {
    version,
    shards: Array.from({ length: count }, (_, at) => `${prefix}-${at + 1}.ffs`),
    cipher: encryption?.cipher ?? null,
    packing: compression === "Lz4" ? "lz4" : compression === "Zstd" ? "zstd" : "plain",
  };
}
