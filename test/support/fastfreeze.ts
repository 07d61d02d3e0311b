/** An image as FastFreeze leaves it: its own command lines, of the markers that criu-image-streamer writes into its shards. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface FastFreezeOptions {
  compression: "Lz4" | "Zstd" | null;
  /** A file, as `openssl -pass file:` reads it. */
  passphrase: string | null;
  version?: string;
  shards?: number;
}

export function writeFastFreeze(
  place: string,
  files: Record<string, Buffer>,
  { compression, passphrase, version = "2021-03-22", shards = 3 }: FastFreezeOptions,
): void {
  mkdirSync(place, { recursive: true });
  for (const [at, bytes] of spread(files, shards).entries())
    writeFileSync(join(place, `aaNN7y-${at + 1}.ffs`), packed(bytes, compression, passphrase));
  const manifest = {
    version,
    num_shards: shards,
    encryption: passphrase === null ? null : { cipher: "aes-256-cbc" },
    compression,
    shard_prefix: "aaNN7y",
  };
  writeFileSync(join(place, "manifest.json"), JSON.stringify(manifest));
}

function packed(
  bytes: Buffer,
  compression: FastFreezeOptions["compression"],
  passphrase: string | null,
): Buffer {
  // FastFreeze says `zstd -1 - -`, which the program has refused since: the second was the output.
  const commands = [
    ...(compression === null ? [] : [compression === "Lz4" ? "lz4 -1 - -" : "zstd -1 -"]),
    ...(passphrase === null ? [] : [`openssl enc -e -aes-256-cbc -pbkdf2 -pass file:${passphrase}`]),
  ];
  if (commands.length === 0) return bytes;
  const options = {
    input: bytes,
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"] as ["pipe", "pipe", "ignore"],
  };
  return execFileSync("sh", ["-c", commands.join(" | ")], options);
}

/** Two files in turns, 10,000 bytes at a time, and one marker after the other to the next shard. */
function spread(files: Record<string, Buffer>, count: number): Buffer[] {
  const shards: Buffer[][] = Array.from({ length: count }, () => []);
  let seq = 0;
  const put = (field: Buffer, data: Buffer = Buffer.alloc(0)): void => {
    const marker = Buffer.concat([seq === 0 ? Buffer.alloc(0) : number(1, seq), field]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(marker.length);
    shards[(seq * 7) % count]?.push(length, marker, data);
    seq += 1;
  };
  const left = new Map(Object.entries(files));
  while (left.size > 0) {
    for (const [name, content] of [...left]) {
      put(Buffer.concat([Buffer.from([(2 << 3) | 2]), varint(name.length), Buffer.from(name)]));
      const part = content.subarray(0, 10_000);
      if (part.length > 0) put(number(3, part.length), part);
      if (part.length === content.length) {
        put(number(4, 1));
        left.delete(name);
      } else left.set(name, content.subarray(part.length));
    }
  }
  put(number(5, 1));
  return shards.map((parts) => Buffer.concat(parts));
}

const number = (field: number, value: number): Buffer =>
  Buffer.concat([Buffer.from([field << 3]), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) | 128);
  }
}
