import { createDecipheriv, getCipherInfo, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";

/** What `openssl enc -pbkdf2` does where nothing else is said: its PBKDF2's hash and iterations. */
const [hash, iterations] = ["sha256", 10_000];
const magic = "Salted__";
const saltSize = 8;

export class NotDecrypted extends Error {}

/** What `openssl enc -e -CIPHER -pbkdf2 -pass file:…` encrypted. Throws NotDecrypted: by then wrong bytes may have been given. */
export async function* decrypt(
  encrypted: AsyncIterable<Buffer>,
  cipher: string,
  passphrase: Buffer,
): AsyncGenerator<Buffer> {
  const { keyLength = 0, ivLength = 0 } = getCipherInfo(cipher) ?? {};
  if (keyLength === 0) throw new NotDecrypted(`OpenSSL knows no cipher ${cipher}`);
  let head = Buffer.alloc(0);
  let decipher: ReturnType<typeof createDecipheriv> | undefined;
  for await (const part of encrypted) {
    if (decipher !== undefined) {
      yield decipher.update(part);
      continue;
    }
    head = Buffer.concat([head, part]);
    if (head.length < magic.length + saltSize) continue;
    if (head.toString("latin1", 0, magic.length) !== magic) throw new NotDecrypted("it is not encrypted");
    const salt = head.subarray(magic.length, magic.length + saltSize);
    const secret = await promisify(pbkdf2)(passphrase, salt, iterations, keyLength + ivLength, hash);
    decipher = createDecipheriv(cipher, secret.subarray(0, keyLength), secret.subarray(keyLength));
    yield decipher.update(head.subarray(magic.length + saltSize));
  }
  if (decipher === undefined) throw new NotDecrypted("it is shorter than its salt");
  try {
    yield decipher.final();
  } catch (thrown) {
    throw new NotDecrypted("it does not end as it should", { cause: thrown });
  }
}
