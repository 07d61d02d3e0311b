import { sumOf } from "../../src/sum.js";
import { type Stage } from "../../test/support/stage.js";
import { startGoogle } from "../../test/support/stores/google-server.js";
import { bucket, startCeph, type StoreServer } from "../../test/support/stores/servers.js";
import { Sleeper } from "./ours.js";

const file = "/run/bench-memory";

/**
 * Every 10 ms, what all processes of a container have resident beside its service: daemon, init, CRIU, its hook, the shards.
 */
const watcher = `import os, sys, time
container, stop = sys.argv[1], sys.argv[2]
most, of = 0, {}
def field(pid, name):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return line.split()[1]
    return "0"
while not os.path.exists(stop):
    total, now = 0, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cgroup") as cgroup:
                if container not in cgroup.read():
                    continue
            with open(f"/proc/{pid}/comm") as comm:
                name = comm.read().strip()
            if name.startswith("python"):
                continue
            rss = int(field(pid, "VmRSS"))
        except (OSError, IndexError):
            continue
        total += rss
        now[name] = now.get(name, 0) + rss
    if total > most:
        most, of = total, now
    time.sleep(0.01)
print(most, *(f"{name} {rss / 1024:.0f}" for name, rss in sorted(of.items())))
`;

export interface ExtraMemory {
  /** Bytes. */
  most: number;
  /** Which process had how much then, MiB. */
  said: string;
}

/** An image in a bucket, and by which variables the store is found. */
export interface InBucket {
  url: string;
  access: Record<string, string>;
}

/** The most that a checkpoint needs beside the service's own memory. @param to without it, a directory on tmpfs. */
export async function extraMemory(stage: Stage, megabytes: number, to?: InBucket): Promise<ExtraMemory> {
  const sleeper = await Sleeper.start(stage, megabytes);
  if (to !== undefined) stage.env = to.access;
  try {
    const id = await stage.on("a", "podman", "inspect", "--format", "{{.Id}}", sleeper.cast.name);
    await stage.on("a", "rm", "-f", `${file}.stop`);
    const watched = stage.on("a", "python3", "-c", watcher, id.trim(), `${file}.stop`);
    await sleeper.freeze("medium", true, to?.url);
    await stage.on("a", "touch", `${file}.stop`);
    const [most, ...said] = (await watched).trim().split(" ");
    return { most: Number(most) * 1024, said: said.join(" ") };
  } finally {
    await sleeper.end();
  }
}

/** What a checkpoint may need beside the service's own memory: bytes. */
export const room = 100e6;

/**
 * Milliseconds of a freeze into an image where the container may have no more than its service's memory and `room`; without
 * `confined`, as much as there is. What is mapped from files counts, as far as it is in use: it is read anew, by this container.
 */
export async function freezeInRoom(
  stage: Stage,
  megabytes: number,
  to: InBucket,
  confined: boolean,
): Promise<number> {
  await stage.on("a", "sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches");
  const sleeper = await Sleeper.start(stage, megabytes);
  stage.env = to.access;
  try {
    if (confined) await confine(stage, sleeper.cast.name);
    return (await sleeper.freeze("medium", true, to.url)).frozenMs ?? NaN;
  } finally {
    await sleeper.end();
  }
}

async function confine(stage: Stage, container: string): Promise<void> {
  const processes = await stage.on("a", "podman", "top", container, "comm", "rss");
  const service = sumOf([...processes.matchAll(/^python3\s+(\d+)/gm)].map(([, rss]) => Number(rss))) * 1024;
  const limit = String(service + room);
  await stage.on("a", "podman", "update", "--memory", limit, "--memory-swap", limit, container);
}

/** A bucket on a server on this machine, for as long as the work lasts. @param host where that server listens. */
export async function withBucket<T>(
  host: string,
  kind: "S3" | "Google's",
  work: (image: InBucket) => Promise<T>,
): Promise<T> {
  const server = kind === "S3" ? await startCeph(host) : await startGoogleStore(host);
  try {
    return await work({ url: `${kind === "S3" ? "s3" : "gs"}://${bucket}/image`, access: server.access });
  } finally {
    await server.stop();
  }
}

async function startGoogleStore(host: string): Promise<StoreServer> {
  const { url, close } = await startGoogle(host, [bucket]);
  return { url, access: { STORAGE_EMULATOR_HOST: url }, stop: close };
}
