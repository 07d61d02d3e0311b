/** The keys of an image: from a passphrase, or open in its manifest. */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import * as z from "zod/mini";

const hex = (bytes: number) => z.string().check(z.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));

/**
 * How the keys come about. `open`: 64 random bytes that anybody may read, which find damage but hide nothing. Else by scrypt
 * (RFC 7914) from a passphrase; `proof` tells the right one.
 */
export const KeySource = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("open"), bytes: hex(64) }),
  z.strictObject({
    kind: z.literal("passphrase"),
    // Bounds, so that a manifest cannot make whoever reads it take all memory.
    n: z.int().check(z.minimum(2 ** 14), z.maximum(2 ** 17)),
    r: z.int().check(z.minimum(8), z.maximum(16)),
    p: z.int().check(z.minimum(1), z.maximum(4)),
    salt: hex(16),
    proof: hex(32),
  }),
]);
export type KeySource = z.infer<typeof KeySource>;

export interface Keys {
  /** AES-256-GCM's, of the chunks and the index. */
  chunks: Buffer;
  /** HMAC-SHA256's, of the manifest. */
  manifest: Buffer;
}

/** A tenth of a second, before anything is frozen, and 17 MB: the daemon has room for so much beside its service. */
const cost = { n: 2 ** 14, r: 8, p: 2 };

const proofOf = ({ manifest }: Keys): Buffer =>
  createHmac("sha256", manifest).update("fastmig: the right passphrase").digest();

function split(bytes: Buffer): Keys {
  return { chunks: bytes.subarray(0, 32), manifest: bytes.subarray(32, 64) };
}

/** @param passphrase its bytes; null: the image is not encrypted. */
export async function makeKeys(passphrase: Buffer | null): Promise<{ keys: Keys; source: KeySource }> {
  if (passphrase === null) {
    const bytes = randomBytes(64);
    return { keys: split(bytes), source: { kind: "open", bytes: bytes.toString("hex") } };
  }
  const salt = randomBytes(16);
  const keys = split(await derive(passphrase, { ...cost, salt: salt.toString("hex") }));
  const proof = proofOf(keys).toString("hex");
  return { keys, source: { kind: "passphrase", ...cost, salt: salt.toString("hex"), proof } };
}

/** Null: it is another passphrase. */
export async function openKeys(source: KeySource, passphrase: Buffer | null): Promise<Keys | null> {
  if (source.kind === "open") return split(Buffer.from(source.bytes, "hex"));
  if (passphrase === null) return null;
  const keys = split(await derive(passphrase, source));
  return timingSafeEqual(proofOf(keys), Buffer.from(source.proof, "hex")) ? keys : null;
}

function derive(
  passphrase: Buffer,
  { n, r, p, salt }: { n: number; r: number; p: number; salt: string },
): Promise<Buffer> {
  const options = { N: n, r, p, maxmem: 2 * 128 * n * r };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.from(salt, "hex"), 64, options, (error, bytes) =>
      error === null ? resolve(bytes) : reject(error),
    );
  });
}

/** What vouches for a manifest's text. */
export function macOf({ manifest }: Keys, text: string): string {
  return createHmac("sha256", manifest).update(text).digest("hex");
}
