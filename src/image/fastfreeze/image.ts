/** Images that FastFreeze made: they can be listed and extracted, decrypted and unpacked. */
import { createZstdDecompress } from "node:zlib";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../errors.js";
import { imageError } from "../errors.js";
import { unpackLz4 } from "../lz4.js";
import type { Store } from "../store/store.js";
import { decrypt, NotDecrypted } from "./decrypt.js";
import { fastFreezeVersion, type FastFreezeManifest, parseFastFreeze } from "./manifest.js";
import { NotMarkers, type Piece, piecesOf } from "./markers.js";

export interface FastFreezeImage {
  store: Store;
  manifest: FastFreezeManifest;
}

/** @param text of its manifest. Null: FastFreeze did not make it. Throws IMAGE_DAMAGED. */
export function asFastFreeze(store: Store, text: string): FastFreezeImage | null {
  const manifest = parseFastFreeze(parseJson(text), store.url);
  return manifest === null ? null : { store, manifest };
}

/** Whoever reads manifests of our own says what is wrong with one that is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export interface FastFreezeOptions {
  /** Null: none was given. */
  passphrase: Buffer | null;
  /** Whether an image of another version is read nevertheless. */
  anyVersion: boolean;
}

/** CRIU's files, and `fs.tar` with paths that were preserved. Throws IMAGE_VERSION, IMAGE_PASSPHRASE, IMAGE_DAMAGED. */
export async function* readPieces(
  { store, manifest }: FastFreezeImage,
  { passphrase, anyVersion }: FastFreezeOptions,
): AsyncGenerator<Piece> {
  const { version, shards, cipher } = manifest;
  const { url } = store;
  if (version !== fastFreezeVersion && !anyVersion)
    throw imageError(
      "IMAGE_VERSION",
      `${url} is an image of FastFreeze's version ${version}, not of ${fastFreezeVersion}`,
      { hint: "try it with --allow-bad-image-version" },
    );
  if (cipher !== null && passphrase === null)
    throw imageError("IMAGE_PASSPHRASE", `${url} is encrypted`, {
      hint: "name the file that has it: --passphrase-file FILE",
    });
  try {
    yield* piecesOf(shards.map((name) => unpack(manifest, plain(store.content(name), cipher, passphrase))));
  } catch (thrown) {
    throw described(thrown, url, cipher !== null);
  }
}

function plain(
  content: AsyncIterable<Buffer>,
  cipher: string | null,
  passphrase: Buffer | null,
): AsyncIterable<Buffer> {
  return cipher === null || passphrase === null ? content : decrypt(content, cipher, passphrase);
}

function unpack({ packing }: FastFreezeManifest, packed: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  if (packing === "lz4") return unpackLz4(packed);
  return packing === "zstd" ? unpackZstd(packed) : packed;
}

async function* unpackZstd(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const unpacking = createZstdDecompress();
  const fed = pipeline(packed, unpacking);
  fed.catch(() => undefined);
  try {
    yield* unpacking as AsyncIterable<Buffer>;
    await fed;
  } finally {
    unpacking.destroy();
  }
}

/** FastFreeze's encryption does not tell another passphrase from damage: what comes out is noise then. */
function described(thrown: unknown, url: string, encrypted: boolean): unknown {
  const code = (thrown as { code?: unknown }).code;
  const noise =
    thrown instanceof NotMarkers ||
    thrown instanceof NotDecrypted ||
    (typeof code === "string" && (/^Z(STD)?_/.test(code) || code === "IMAGE_DAMAGED"));
  if (!noise || /is missing$/.test(messageOf(thrown))) return thrown;
  if (encrypted)
    return imageError(
      "IMAGE_PASSPHRASE",
      `${url} was encrypted with another passphrase, or is damaged: ${messageOf(thrown)}`,
    );
  return imageError("IMAGE_DAMAGED", `${url} is damaged: ${messageOf(thrown)}`);
}
