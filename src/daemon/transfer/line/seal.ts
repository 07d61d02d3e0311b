import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type CipherOCB,
  type DecipherOCB,
  type KeyObject,
} from "node:crypto";

/** Bytes. */
export const keySize = 16;
export const tagSize = 16;
const nonceSize = 12;

/** For a megabyte it takes 0.2 ms where GCM takes 0.8, and 5 where it takes 9 on an emulated machine. RFC 7253. */
const algorithm = "aes-128-ocb";

export type Sender = "source" | "destination";

/** AES-OCB over one sender's frames. A line has a key of its own, and so no number comes twice under one key. */
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
  next(head: Buffer): CipherOCB {
    return createCipheriv(algorithm, this.#key, this.#nonce(), { authTagLength: tagSize }).setAAD(head);
  }

  /** Opens it. */
  open(head: Buffer): DecipherOCB {
    return createDecipheriv(algorithm, this.#key, this.#nonce(), { authTagLength: tagSize }).setAAD(head);
  }

  #nonce(): Buffer {
    const nonce = Buffer.alloc(nonceSize);
    nonce.writeUInt8(this.#sender === "source" ? 0 : 1, 0);
    nonce.writeBigUInt64BE(this.#frames++, nonceSize - 8);
    return nonce;
  }
}
