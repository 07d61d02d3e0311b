import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherGCM,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";

/** Bytes. */
export const keySize = 16;
export const tagSize = 16;
const nonceSize = 12;

const algorithm = "aes-128-gcm";

export type Sender = "source" | "destination";

/** AES-GCM over one sender's frames. A line has a key of its own, and so no number comes twice under one key. */
export class Seal {
  readonly #key: KeyObject;
  readonly #sender: Sender;
  #frames = 0n;

  /** @param key hex. */
  constructor(key: string, sender: Sender) {
    this.#key = createSecretKey(key, "hex");
    this.#sender = sender;
  }

  /** Seals the sender's next frame. */
  next(head: Buffer): CipherGCM {
    return createCipheriv(algorithm, this.#key, this.#nonce(), { authTagLength: tagSize }).setAAD(head);
  }

  /** Opens it. */
  open(head: Buffer): DecipherGCM {
    return createDecipheriv(algorithm, this.#key, this.#nonce(), { authTagLength: tagSize }).setAAD(head);
  }

  #nonce(): Buffer {
    const nonce = Buffer.alloc(nonceSize);
    nonce.writeUInt8(this.#sender === "source" ? 0 : 1, 0);
    nonce.writeBigUInt64BE(this.#frames++, nonceSize - 8);
    return nonce;
  }
}
