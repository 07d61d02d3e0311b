import { createCipheriv, createSecretKey } from "node:crypto";

/** Of bare bytes Node finds out what they are by an exception, each time. */
const key = createSecretKey(Buffer.alloc(16));
const nonce = Buffer.alloc(12);

/**
 * 128 bits over a segment, in hex: AES-GMAC with a key that everybody knows, ten times as fast as SHA-256. It finds
 * every damage that is not made on purpose; against purpose both ways of the transfer are authenticated themselves
 * (TLS with this migration's key and lines, SSH).
 */
export function digestOf(bytes: Buffer): string {
  const mac = createCipheriv("aes-128-gcm", key, nonce).setAAD(bytes);
  mac.final();
  return mac.getAuthTag().toString("hex");
}
