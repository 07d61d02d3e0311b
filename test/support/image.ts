import { randomBytes } from "node:crypto";
import { type Manifest } from "../../src/image/manifest.js";

/** A manifest as a daemon writes it. */
export function someManifest(more: Partial<Manifest> = {}): Manifest {
  return {
    format: "fastmig-image",
    version: 1,
    id: "01JCXZ0000000000000000000A",
    createdAt: "2026-11-23T08:00:00.000Z",
    fastmig: "0.1.0",
    service: {
      name: "redis",
      command: ["redis-server", "--save", ""],
      env: { B: "1", A: "2" },
      user: "redis",
      workdir: "/data",
    },
    epoch: 3,
    tree: {
      rootPid: 1000,
      highestPid: 1004,
      uid: 999,
      gid: 999,
      groups: [999],
      stdoutInode: 7,
      stderrInode: null,
      clocks: null,
    },
    criu: "4.2.1",
    kernel: "6.12.0",
    processor: { model: "Processor 7", features: "sse avx" },
    preserved: [],
    packing: "lz4",
    key: { kind: "open", bytes: randomBytes(64).toString("hex") },
    bytes: 4096,
    files: 2,
    index: { name: "01JCXZ0000000000000000000A.index", size: 100, tag: "00".repeat(16) },
    shards: [{ name: "01JCXZ0000000000000000000A-1.shard", size: 200 }],
    ...more,
  };
}
