/** The index of an image: what is where in its shards. The format: docs/image-format.md; native/shards writes it. */
import { createCipheriv, timingSafeEqual } from "node:crypto";

const magic = "FMSHARD1";
const chunkSize = 48;
/** Bytes of a chunk at most, before it is packed. */
export const longestChunk = 1024 * 1024;
/** Packing what cannot be packed makes it a little longer. */
const longestStored = longestChunk + 64 * 1024;

export interface Chunk {
  /** Its place among all chunks: with it it was sealed. */
  number: number;
  size: number;
  stored: number;
  shard: number;
  /** Where it begins in its shard. */
  at: number;
  tag: Buffer;
}

export interface IndexedFile {
  name: string;
  size: number;
  chunks: Chunk[];
}

interface Growing extends IndexedFile {
  /** Bytes that its chunks hold so far. */
  grown: number;
}

/** Which bytes a tag vouches for. */
export function nonceOf(domain: "chunk" | "index", number: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt8(domain === "chunk" ? 0 : 1, 0);
  nonce.writeBigUInt64LE(BigInt(number), 4);
  return nonce;
}

/** Whether the index is what was written. */
export function isIndex(bytes: Buffer, key: Buffer, tag: string): boolean {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf("index", 0));
  cipher.setAAD(bytes);
  cipher.final();
  return timingSafeEqual(cipher.getAuthTag(), Buffer.from(tag, "hex"));
}

/** Undefined where it is not of the form that is known here. */
export function parseIndex(bytes: Buffer): IndexedFile[] | undefined {
  try {
    return parse(bytes);
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function parse(bytes: Buffer): IndexedFile[] | undefined {
  if (bytes.toString("latin1", 0, 8) !== magic) return undefined;
  const files: Growing[] = [];
  let at = 20;
  for (let left = bytes.readUInt32LE(8); left > 0; left -= 1) {
    const length = bytes.readUInt16LE(at);
    const end = at + 2 + length;
    const name = bytes.toString("utf8", at + 2, end);
    files.push({ name, size: Number(bytes.readBigUInt64LE(end)), chunks: [], grown: 0 });
    at = end + 8;
  }
  if (bytes.length - at !== Number(bytes.readBigUInt64LE(12)) * chunkSize) return undefined;
  for (let number = 0; at < bytes.length; number += 1, at += chunkSize) {
    if (!addChunk(files, number, bytes.subarray(at, at + chunkSize))) return undefined;
  }
  if (files.some(({ grown, size }) => grown !== size)) return undefined;
  return files.map(({ name, size, chunks }) => ({ name, size, chunks }));
}

/** Every file is its chunks, one after the other, without a gap. */
function addChunk(files: readonly Growing[], number: number, entry: Buffer): boolean {
  const file = files[entry.readUInt32LE(0)];
  const [size, stored] = [entry.readUInt32LE(4), entry.readUInt32LE(8)];
  if (file === undefined || size === 0 || size > longestChunk || stored > longestStored) return false;
  if (Number(entry.readBigUInt64LE(16)) !== file.grown) return false;
  file.grown += size;
  file.chunks.push({
    number,
    size,
    stored,
    shard: entry.readUInt16LE(12),
    at: Number(entry.readBigUInt64LE(24)),
    tag: entry.subarray(32),
  });
  return true;
}
