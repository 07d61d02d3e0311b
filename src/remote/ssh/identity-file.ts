import { keyType } from "./known-hosts.js";

/** What can be told of a private key file without its passphrase. */
export interface KeyFacts {
  encrypted: boolean;
  /** The public key as SSH sends it, where the file shows it. */
  publicKey: Buffer | null;
}

const magic = Buffer.from("openssh-key-v1\0", "latin1");

/** Reads the open part of OpenSSH's own format (PROTOCOL.key), and PEM's headers. */
export function keyFacts(text: string): KeyFacts {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (body === undefined) return { encrypted: /ENCRYPTED/.test(text), publicKey: null };
  const data = Buffer.from(body, "base64");
  if (!data.subarray(0, magic.length).equals(magic)) return { encrypted: false, publicKey: null };
  // cipher, kdf, kdf options, number of keys, then the first public key.
  const cipher = field(data, magic.length);
  const options = skip(data, skip(data, magic.length, 2), 1);
  return { encrypted: cipher?.toString() !== "none", publicKey: field(data, options + 4) };
}

/** The key of a `.pub` file: `type base64 comment`. */
export function publicKeyOf(text: string): Buffer | null {
  const [type, encoded = ""] = text.trim().split(/\s+/);
  const key = Buffer.from(encoded, "base64");
  return keyType(key) === type ? key : null;
}

function field(data: Buffer, at: number): Buffer | null {
  if (at + 4 > data.length) return null;
  const end = at + 4 + data.readUInt32BE(at);
  return end > data.length ? null : data.subarray(at + 4, end);
}

function skip(data: Buffer, at: number, count: number): number {
  let position = at;
  for (let n = 0; n < count; n++) position += 4 + (field(data, position)?.length ?? 0);
  return position;
}
